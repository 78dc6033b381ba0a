// The loaded functions by name (without case) and trigger; what this host does not support is refused at start.
import type { Binding, FunctionMetadata } from './protocol.ts'

export interface LoadedFunction {
  readonly metadata: FunctionMetadata
  readonly binding: string
  readonly trigger: Binding
}

const SUPPORTED = new Set(['httptrigger', 'http', 'timertrigger', 'orchestrationtrigger', 'activitytrigger', 'durableclient'])

export interface FunctionsOptions {
  /** Leave functions of unsupported kinds out with a warning instead of refusing to start. */
  readonly lenient: boolean
  /** Only these, when given. */
  readonly only: readonly string[]
  readonly isDisabled: (name: string) => boolean
  readonly warn: (message: string) => void
}

export class Functions {
  readonly #byName = new Map<string, LoadedFunction>()

  /** @throws Error naming function and binding type */
  constructor(list: readonly FunctionMetadata[], { lenient, only, isDisabled, warn }: FunctionsOptions) {
    const wanted = new Set(only.map((name) => name.toLowerCase()))
    for (const metadata of list) {
      if (isDisabled(metadata.name) || (wanted.size > 0 && !wanted.has(metadata.name.toLowerCase()))) continue
      const refused = problemOf(metadata)
      if (refused && !lenient) throw new Error(`${refused} LHOST_UNSUPPORTED=warn leaves such functions out.`)
      if (refused) warn(`${refused} It is left out (LHOST_UNSUPPORTED=warn).`)
      const [binding, trigger] = Object.entries(metadata.bindings).find(([, b]) => isTrigger(b)) ?? []
      if (!refused && binding && trigger) this.#byName.set(metadata.name.toLowerCase(), { metadata, binding, trigger })
    }
  }

  get(name: string): LoadedFunction | undefined {
    return this.#byName.get(name.toLowerCase())
  }

  get names(): string[] {
    return [...this.#byName.values()].map((f) => f.metadata.name)
  }

  ofType(type: string): LoadedFunction[] {
    return [...this.#byName.values()].filter((f) => f.trigger.type.toLowerCase() === type)
  }

  has(name: string, type: string): boolean {
    return this.#byName.get(name.toLowerCase())?.trigger.type.toLowerCase() === type
  }

  triggerName(name: string): string {
    return this.#byName.get(name.toLowerCase())?.binding ?? ''
  }

  /** Names of a function's bindings of one type. */
  bindingsOf(name: string, type: string): string[] {
    const bindings = Object.entries(this.#byName.get(name.toLowerCase())?.metadata.bindings ?? {})
    return bindings.filter(([, b]) => b.type.toLowerCase() === type).map(([binding]) => binding)
  }
}

const isTrigger = (binding: Binding): boolean => /trigger$/i.test(binding.type)

function problemOf({ name, bindings }: FunctionMetadata): string | undefined {
  for (const { type } of Object.values(bindings)) {
    if (type.toLowerCase() === 'entitytrigger')
      return `Entity function '${name}' is not supported by the local host (entities, callEntity, signalEntity, df.lock).`
    if (!SUPPORTED.has(type.toLowerCase()))
      return `Function '${name}' has a binding of type '${type}', which the local host does not support.`
  }
  return Object.values(bindings).some(isTrigger) ? undefined : `Function '${name}' has no trigger.`
}
