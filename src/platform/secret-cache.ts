// Secrets of a vault: kept for a while, asked for once however many want them, and used on while the vault is away.
import { LRUCache } from 'lru-cache'
import type { Log } from '../define/define-job.ts'
import { AppError } from '../rules/errors.ts'
import { Secret } from './secret.ts'
import type { Vault } from './vault.ts'

export const TTL_MS = 15 * 60_000
/** How long an expired one is still used while the vault does not answer. */
const STALE_MS = 60 * 60_000
/** After a question without an answer the next callers do not wait for another one: what is kept is used, or they hear the same. */
const PAUSE_MS = 10_000
const ENTRIES = 100
/** What the vault takes; it knows no underscore. */
const VAULT_NAME = /^[0-9a-zA-Z-]{1,127}$/

/** What is kept, and whether the vault answers; no values. */
export interface CacheFacts {
  readonly vault_url: string
  readonly reachable: boolean
  readonly problem?: { readonly code: string; readonly message: string }
  readonly cached_names: readonly string[]
  readonly hits: number
  readonly misses: number
}

interface Kept {
  readonly secret: Secret
  readonly at: number
}

/** What was read from one vault. */
export class SecretCache {
  readonly #vault: Vault
  readonly #now: () => number
  readonly #log: Pick<Log, 'warn'>
  readonly #kept = new LRUCache<string, Kept>({ max: ENTRIES })
  /** Questions on their way: who comes meanwhile waits for the same answer. */
  readonly #asking = new Map<string, Promise<Secret>>()
  /** Until then the vault is not asked: it said so, or did not answer. */
  #pause: { readonly until: number; readonly error: AppError } | undefined
  #hits = 0
  #misses = 0

  constructor(vault: Vault, now: () => number, log: Pick<Log, 'warn'>) {
    this.#vault = vault
    this.#now = now
    this.#log = log
  }

  async get(name: string, fresh: boolean): Promise<Secret> {
    if (!VAULT_NAME.test(name))
      throw new AppError(
        'SECRET_NOT_FOUND',
        `No vault has a secret ${JSON.stringify(name)}: names are letters, digits and hyphens.`,
      )
    const kept = this.#kept.get(name)
    if (!fresh && kept && this.#now() - kept.at < TTL_MS) {
      this.#hits++
      return kept.secret
    }
    this.#misses++
    // A fresh one is asked for anew: the answer on its way may be older than the rotation.
    const asking = (fresh ? undefined : this.#asking.get(name)) ?? this.#ask(name)
    try {
      return await asking
    } catch (error) {
      // Who asks for a fresh one has seen the kept one fail.
      if (fresh) throw error
      return this.#stale(name, error)
    }
  }

  #ask(name: string): Promise<Secret> {
    const question: Promise<Secret> = this.#read(name)
      .then((secret) => {
        // Only the latest question is remembered, and none from before the cache was cleared.
        if (this.#asking.get(name) === question) this.#kept.set(name, { secret, at: this.#now() })
        return secret
      })
      .finally(() => {
        if (this.#asking.get(name) === question) this.#asking.delete(name)
      })
    this.#asking.set(name, question)
    return question
  }

  async #read(name: string): Promise<Secret> {
    const pause = this.#pause
    const left = pause ? pause.until - this.#now() : 0
    if (pause && left > 0) throw new AppError(pause.error.code, pause.error.message, { cause: pause.error, retryAfterMs: left })
    this.#pause = undefined
    try {
      return new Secret(name, await this.#vault.read(name))
    } catch (error) {
      if (isAway(error)) this.#pause = { until: this.#now() + (error.retryAfterMs ?? PAUSE_MS), error }
      // Gone, or not ours any more: what was kept must not live on.
      else this.#kept.delete(name)
      throw error
    }
  }

  /** What is kept, where only the vault is away. @throws what the vault said */
  #stale(name: string, error: unknown): Secret {
    const kept = this.#kept.get(name)
    const age = kept ? this.#now() - kept.at : Number.POSITIVE_INFINITY
    if (!kept || !isAway(error) || age >= TTL_MS + STALE_MS) throw error
    // Once for each question, not for each use while the vault is left in peace.
    if (!(error.cause instanceof AppError))
      this.#log.warn('secrets.stale', { name, age_seconds: Math.round(age / 1000), code: error.code })
    return kept.secret
  }

  clear(): number {
    const { size } = this.#kept
    this.#kept.clear()
    this.#asking.clear()
    this.#pause = undefined
    return size
  }

  async facts(): Promise<CacheFacts> {
    // Any name does: the answer that there is none is an answer.
    const problem = await this.#vault.read('lamplighter-probe').then(
      () => undefined,
      (error: unknown) => (error instanceof AppError && error.code !== 'SECRET_NOT_FOUND' ? error : undefined),
    )
    return {
      vault_url: this.#vault.url,
      reachable: problem === undefined,
      ...(problem ? { problem: { code: problem.code, message: problem.message } } : {}),
      cached_names: [...this.#kept.keys()].sort(),
      hits: this.#hits,
      misses: this.#misses,
    }
  }
}

const AWAY: ReadonlySet<string> = new Set(['VAULT_UNAVAILABLE', 'VAULT_THROTTLED', 'IDENTITY_UNAVAILABLE'])
const isAway = (error: unknown): error is AppError => error instanceof AppError && AWAY.has(error.code)
