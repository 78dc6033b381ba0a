// One invocation inside the worker: arguments, hooks, handler, response.
import type { Action } from '../durable/actions.ts'
import { reusesTask } from '../durable/find-traps.ts'
import type { CoreState, RegisteredFunction } from './core-module.ts'
import type { FromWorker, InvocationRequest, TypedData } from './protocol.ts'

/** Runs one function and answers with the message for the host; never throws. */
export async function invoke(
  state: CoreState,
  request: InvocationRequest,
  log: (level: string, category: string, message: string, invocationId?: string) => void,
): Promise<FromWorker> {
  const { invocationId, functionId } = request
  try {
    const fn = state.functions.get(functionId.toLowerCase())
    if (!fn || !state.model) throw new Error(`The function '${functionId}' is not loaded.`)
    const run = await runFunction(state, fn, request, (level, category, text) => log(level, category, text, invocationId))
    return { type: 'result', invocationId, ok: true, ...run }
  } catch (error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error))
    return { type: 'result', invocationId, ok: false, message, stack }
  }
}

interface Outcome {
  readonly returnValue: TypedData | null | undefined
  readonly empty?: boolean
  readonly reusedTask?: boolean
}

async function runFunction(
  state: CoreState,
  fn: RegisteredFunction,
  request: InvocationRequest,
  log: (level: string, category: string, message: string) => void,
): Promise<Outcome> {
  const core = { invocationId: request.invocationId, request, metadata: fn.metadata, log, state: undefined as string | undefined }
  const model = state.model?.getInvocationModel(core)
  if (!model) throw new Error('no programming model')
  const { context, inputs } = await model.getArguments()
  const before = { invocationContext: context, inputs, functionCallback: fn.callback, hookData: {} }
  core.state = 'preInvocationHooks'
  for (const hook of state.hooks.preInvocation) await hook(before)
  core.state = 'invocation'
  const after = {
    invocationContext: context,
    inputs: before.inputs,
    result: undefined as unknown,
    error: undefined as unknown,
    hookData: before.hookData,
  }
  try {
    after.result = await model.invokeFunction(context, before.inputs, before.functionCallback)
  } catch (error) {
    after.error = error
  }
  core.state = 'postInvocationHooks'
  for (const hook of state.hooks.postInvocation) await hook(after)
  if (after.error !== undefined && after.error !== null) throw after.error
  const { returnValue } = await model.getResponse(context, after.result)
  const { actions } = (after.result ?? {}) as { actions?: readonly (readonly Action[])[] }
  return {
    returnValue: returnValue as TypedData | null | undefined,
    ...(after.result === undefined ? { empty: true } : {}),
    ...(isOrchestrator(fn) && Array.isArray(actions) && reusesTask(actions[0] ?? []) ? { reusedTask: true } : {}),
  }
}

const isOrchestrator = ({ metadata }: RegisteredFunction): boolean =>
  Object.values(metadata.bindings).some((b) => b.type === 'orchestrationTrigger')
