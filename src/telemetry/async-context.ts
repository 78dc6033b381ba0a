// The context of OpenTelemetry over Node's AsyncLocalStorage: ids flow through awaits, with or without an SDK.
import { AsyncLocalStorage } from 'node:async_hooks'
import { type Context, context, type ContextManager, ROOT_CONTEXT } from '@opentelemetry/api'

/** As small as the interface allows: the package that has one brings a second implementation that nothing here needs. */
class AsyncContext implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>()

  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    active: Context,
    run: F,
    self?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.#storage.run(active, () => run.apply(self, args))
  }

  bind<T>(active: Context, target: T): T {
    if (typeof target !== 'function') return target
    return ((...args: unknown[]): unknown =>
      this.#storage.run(active, () => (target as (...a: unknown[]) => unknown)(...args))) as T
  }

  enable(): this {
    return this
  }

  disable(): this {
    this.#storage.disable()
    return this
  }
}

/** Sets it, unless something else of this process (an agent that was loaded before) has set one. */
export function keepContext(): void {
  // The API answers with its own root where none is set; `with` of a set one gives back what was put in.
  const probe = ROOT_CONTEXT.setValue(PROBE, true)
  if (context.with(probe, () => context.active()) === probe) return
  context.setGlobalContextManager(new AsyncContext())
}
const PROBE = Symbol('lamplighter.context')
