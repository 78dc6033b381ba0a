// A secret: its value is there for whoever asks for it by name, and for nothing that prints objects.
import { inspect } from 'node:util'

/** A value that never shows in JSON, in logs, in error causes or in a debugger's preview. */
export class Secret {
  readonly name: string
  readonly #value: string

  constructor(name: string, value: string) {
    this.name = name
    this.#value = value
  }

  /** @example headers.set('x-api-key', (await getSecret('weather-key')).value) */
  get value(): string {
    return this.#value
  }

  toString(): string {
    return `[secret ${this.name}]`
  }

  toJSON(): string {
    return this.toString()
  }

  [inspect.custom](): string {
    return this.toString()
  }
}
