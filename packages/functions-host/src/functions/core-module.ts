// The module @azure/functions-core as the Functions worker injects it: what the programming model registers itself with.
import { Module } from 'node:module'
import type { FunctionMetadata } from './protocol.ts'

export type Callback = (...args: unknown[]) => unknown
export interface RegisteredFunction {
  readonly metadata: FunctionMetadata
  readonly callback: Callback
}

/** The library's adapter between wire and handler (@azure/functions). */
export interface ProgrammingModel {
  readonly name: string
  readonly version: string
  getInvocationModel(context: object): InvocationModel
  getCapabilities?(defaults: Record<string, string>): Record<string, string> | Promise<Record<string, string>>
}
export interface InvocationModel {
  getArguments(): Promise<{ context: object; inputs: unknown[] }>
  invokeFunction(context: object, inputs: unknown[], callback: Callback): Promise<unknown>
  getResponse(context: object, result: unknown): Promise<{ returnValue?: unknown }>
}

const HOOKS = ['preInvocation', 'postInvocation', 'appStart', 'appTerminate', 'log'] as const
export type HookName = (typeof HOOKS)[number]

/** What one worker process has registered. */
export interface CoreState {
  readonly functions: Map<string, RegisteredFunction>
  readonly hooks: Record<HookName, Callback[]>
  model: ProgrammingModel | undefined
  started: boolean
}

class Disposable {
  readonly #dispose: () => void
  constructor(dispose: () => void) {
    this.#dispose = dispose
  }
  dispose(): void {
    this.#dispose()
  }
}

/** Makes `require('@azure/functions-core')` answer, for CJS, ESM and bundles alike, and returns what gets registered. */
export function injectCoreModule(log: (level: string, category: string, message: string) => void): CoreState {
  const state: CoreState = {
    functions: new Map(),
    hooks: { preInvocation: [], postInvocation: [], appStart: [], appTerminate: [], log: [] },
    model: undefined,
    started: false,
  }
  const core = {
    version: '3.9.1',
    hostVersion: '4.1037.0.0',
    Disposable,
    log,
    setProgrammingModel: (model: ProgrammingModel): void => void (state.model = model),
    getProgrammingModel: () => state.model,
    registerFunction: (metadata: FunctionMetadata, callback: Callback) => register(state, metadata, callback),
    registerHook: (name: string, callback: Callback) => {
      if (!HOOKS.includes(name as HookName))
        throw Object.assign(new RangeError(`Unrecognized hook "${name}"`), { isAzureFunctionsSystemError: true })
      const list = state.hooks[name as HookName]
      list.push(callback)
      return new Disposable(() => void list.splice(list.indexOf(callback), 1))
    },
  }
  const prototype = Module.prototype as unknown as { require: (this: unknown, id: string) => unknown }
  const original = prototype.require
  prototype.require = function (id) {
    return id === '@azure/functions-core' ? core : original.call(this, id)
  }
  return state
}

function register(state: CoreState, metadata: FunctionMetadata, callback: Callback): Disposable {
  if (state.started) throw new Error('A function can only be registered during app startup.')
  // Names compare without case, as on the host.
  const key = metadata.name.toLowerCase()
  if (state.functions.has(key)) throw new Error(`A function with id "${metadata.name}" has already been registered.`)
  state.functions.set(key, { metadata, callback })
  return new Disposable(() => void state.functions.delete(key))
}
