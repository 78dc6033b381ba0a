// The loaded functions by name (without case) and trigger; what this host does not support is refused at start.
import type { Binding, FunctionMetadata } from './protocol.ts'

export interface LoadedFunction {
  readonly metadata: FunctionMetadata
  readonly binding: string
  readonly trigger: Binding
}

const SUPPORTED = new Set(['httptrigger', 'http', 'timertrigger', 'orchestrationtrigger', 'activitytrigger', 'durableclient'])

export class Functions {
  readonly #byName = new Map<string, LoadedFunction>()

  /** @throws Error naming function and binding type */
  constructor(list: readonly FunctionMetadata[]) {
    for (const metadata of list) {
      for (const { type } of Object.values(metadata.bindings)) refuseUnsupported(metadata.name, type.toLowerCase(), type)
      const [binding, trigger] = Object.entries(metadata.bindings).find(([, b]) => /trigger$/i.test(b.type)) ?? []
      if (!binding || !trigger) throw new Error(`Function '${metadata.name}' has no trigger.`)
      this.#byName.set(metadata.name.toLowerCase(), { metadata, binding, trigger })
    }
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

function refuseUnsupported(name: string, type: string, written: string): void {
  if (type === 'entitytrigger')
    throw new Error(`Entity function '${name}' is not supported by the local host (entities, callEntity, signalEntity, df.lock).`)
  if (!SUPPORTED.has(type))
    throw new Error(`Function '${name}' has a binding of type '${written}', which the local host does not support.`)
}
