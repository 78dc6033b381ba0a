// Secrets of third parties, from a Key Vault or from the environment.
import type { Log } from '../define/define-job.ts'
import { AppError } from '../rules/errors.ts'
import { Secret } from './secret.ts'
import { SecretCache, TTL_MS } from './secret-cache.ts'
import type { Vault } from './vault.ts'

/** Facts about the secrets, without any value. */
export interface VaultInfo {
  readonly source: 'env' | 'keyvault'
  readonly vault_url: string | null
  /** Whether the vault answers this app; null: there is none. */
  readonly reachable: boolean | null
  /** Why it is not reachable. */
  readonly problem?: { readonly code: string; readonly message: string }
  readonly cached_names: readonly string[]
  readonly hits: number
  readonly misses: number
  readonly ttl_seconds: number
}

export interface ReadOptions {
  /** Past what is kept: after a rotation. */
  readonly fresh?: boolean
}

export interface Secrets {
  /**
   * @throws AppError `SECRET_NOT_FOUND`, `VAULT_ACCESS_DENIED`, `VAULT_THROTTLED` (with the wait that the vault asks for), `VAULT_UNAVAILABLE`
   */
  getSecret(name: string, options?: ReadOptions): Promise<Secret>
  /**
   * Of the kind of role: `{type}-password` and `{TYPE}-PASSWORD` in the vault, then `{type}_password` and `{TYPE}_PASSWORD` in the environment.
   * @throws AppError as `getSecret`; `SECRET_NOT_FOUND` names what was tried
   */
  getDatabasePassword(type: string, options?: ReadOptions): Promise<Secret>
  /** @returns how many were dropped */
  clearCache(): number
  vaultInfo(): Promise<VaultInfo>
}

export interface SecretsSettings {
  /** Without one, secrets are read from `env`. */
  readonly vault: Vault | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly now: () => number
  readonly log: Pick<Log, 'warn'>
}

export function openSecrets({ vault, env, now, log }: SecretsSettings): Secrets {
  const cache = vault && new SecretCache(vault, now, log)
  const getSecret: Secrets['getSecret'] = async (name, { fresh = false } = {}) => {
    if (cache) return cache.get(name, fresh)
    return ofEnvironment(env, [name, name.replaceAll('-', '_'), name.replaceAll('-', '_').toUpperCase()])
  }
  return {
    getSecret,
    async getDatabasePassword(type, options) {
      const names = cache ? [`${type}-password`, `${type.toUpperCase()}-PASSWORD`] : []
      for (const name of names) {
        try {
          return await getSecret(name, options)
        } catch (error) {
          if (!(error instanceof AppError) || error.code !== 'SECRET_NOT_FOUND') throw error
        }
      }
      return ofEnvironment(env, [`${type}_password`, `${type.toUpperCase()}_PASSWORD`], names)
    },
    clearCache: () => cache?.clear() ?? 0,
    async vaultInfo() {
      const facts = cache ? await cache.facts() : { vault_url: null, reachable: null, cached_names: [], hits: 0, misses: 0 }
      return { source: cache ? 'keyvault' : 'env', ...facts, ttl_seconds: TTL_MS / 1000 }
    },
  }
}

function ofEnvironment(env: SecretsSettings['env'], names: readonly string[], triedBefore: readonly string[] = []): Secret {
  for (const name of names) if (env[name]) return new Secret(name, env[name])
  const inVault = triedBefore.length > 0 ? `The vault has no secret ${triedBefore.join(' or ')}, and the` : 'The'
  throw new AppError('SECRET_NOT_FOUND', `${inVault} environment has no variable ${[...new Set(names)].join(' or ')}.`)
}
