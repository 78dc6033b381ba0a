// Passwords that change while the app runs: tokens of an identity, or secrets of a vault. Asked for by each new connection.
import pg from 'pg'
import { AppError } from '../rules/errors.ts'

/** Where a changing password comes from. */
export interface PasswordSource {
  /** Who logs in, for messages: e.g. `the role run with a token of the identity 1234`. */
  readonly who: string
  /** What a DBA or operator does when it is refused, as a sentence. */
  readonly remedy: string
  /** The password of now. */
  current(): Promise<string>
  /** Drops what is kept: `current` answers with a newer one afterwards. */
  renew(): Promise<void>
}

/** After a new password that was refused too: another one of the same moment would be no better, and its source has limits. */
const HOPELESS_MS = 10_000

/** The passwords of one pool. Connections that open at once share one question, and those that are refused at once one renewal. */
export class Passwords {
  readonly #source: PasswordSource
  #asking: Promise<string> | undefined
  #renewing: Promise<void> | undefined
  #generation = 0
  #hopelessUntil = 0

  constructor(source: PasswordSource) {
    this.#source = source
  }

  /** For the pool's option `password`, which calls it once for each new connection. */
  async current(): Promise<string> {
    this.#asking ??= this.#source.current().finally(() => (this.#asking = undefined))
    return this.#asking
  }

  /**
   * Runs what may open a connection; when its password is refused, once more with a newer one.
   * @throws AppError `DATABASE_REFUSED` naming who was refused; else what `run` throws
   */
  async withFresh<T>(run: () => Promise<T>): Promise<T> {
    const generation = this.#generation
    try {
      return await run()
    } catch (error) {
      if (!isRefused(error)) throw error
      if (Date.now() < this.#hopelessUntil) throw this.#refused(error)
      await this.#renewed(generation)
    }
    try {
      return await run()
    } catch (error) {
      if (!isRefused(error)) throw error
      this.#hopelessUntil = Date.now() + HOPELESS_MS
      throw this.#refused(error)
    }
  }

  #refused(cause: unknown): AppError {
    const { who, remedy } = this.#source
    return new AppError('DATABASE_REFUSED', `Postgres refused ${who}, also with a new one. ${remedy}`, { cause })
  }

  /** @param generation the one that was refused: whoever comes later uses what the first one brought */
  async #renewed(generation: number): Promise<void> {
    if (generation !== this.#generation) return
    this.#renewing ??= this.#source
      .renew()
      .then(() => void this.#generation++)
      .finally(() => (this.#renewing = undefined))
    await this.#renewing
  }
}

const isRefused = (error: unknown): boolean => error instanceof pg.DatabaseError && error.code === '28P01'

/**
 * A client whose password is asked for when the server wants it. Not by the option `password`, since what a URL says wins over that, and one
 * without a password says that it is empty.
 */
export const clientWith = (passwords: Passwords): typeof pg.Client =>
  class extends pg.Client {
    constructor(config?: string | pg.ClientConfig) {
      super(config)
      const password = async (): Promise<string> => {
        try {
          return await passwords.current()
        } catch (error) {
          // `pg` would leave the half-open connection to the server, which keeps it for a minute: an outage would use up all of them.
          setImmediate(() => void this.end().catch(() => undefined))
          throw error
        }
      }
      Object.assign(this, { password })
    }
  }
