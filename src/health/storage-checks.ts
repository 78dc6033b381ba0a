// Containers: may they be read, written, signed for, and does the account tell our time?
import { INTERNAL_CONTAINER } from '../models/blob-store.ts'
import { AppError } from '../rules/errors.ts'
import type { Resources } from '../platform/resources.ts'
import type { Check, Finding } from './check.ts'
import { giveRole, storageScope } from './remedies.ts'

type Needs = Pick<Resources, 'blobs' | 'config' | 'now' | 'process'>
type Env = Readonly<Record<string, string | undefined>>

const READER = 'Storage Blob Data Reader'
const CONTRIBUTOR = 'Storage Blob Data Contributor'

/** A container that is only read. */
export function readableContainer({ blobs, config }: Needs, env: Env, container: string): Check {
  return {
    name: `storage.read.${container}`,
    remedies: {
      STORAGE_FORBIDDEN: giveRole(config, READER, storageScope(config, env, container)),
      CONTAINER_NOT_FOUND: `Make the container ${container}, or name another one in the settings.`,
    },
    async ask() {
      for await (const page of blobs.list(container, { maxPageSize: 1 }))
        return {
          status: 'ok',
          detail: page.blobs.length > 0 ? 'It can be listed.' : 'It can be listed, and begins with an empty page.',
        }
      return { status: 'ok', detail: 'It is empty.' }
    },
  }
}

/** A container that is written: a small blob is, and is removed again. */
export function writableContainer({ blobs, config, process }: Needs, env: Env, container: string): Check {
  // Each process has its own, so that two never remove each other's.
  const blob = `_health/${process.id}`
  return {
    name: `storage.write.${container}`,
    remedies: {
      STORAGE_FORBIDDEN: giveRole(config, CONTRIBUTOR, storageScope(config, env, container)),
      CONTAINER_NOT_FOUND: `Make the container ${container}, or name another one in the settings.`,
    },
    async ask() {
      await blobs.write(container, blob, Buffer.from('ok'), { mode: 'overwrite', contentType: 'text/plain' })
      await blobs.delete({ container, blob })
      return { status: 'ok', detail: 'A blob was written and removed.' }
    },
  }
}

/** Signatures with a key of the identity: the account's own keys should be off. */
export function delegationKey({ blobs, config }: Needs, env: Env): Check {
  return {
    name: 'storage.delegation_key',
    remedies: { STORAGE_FORBIDDEN: giveRole(config, 'Storage Blob Delegator', storageScope(config, env)) },
    async ask(): Promise<Finding> {
      // Given to nobody, and good for one minute.
      const { kind } = await blobs.createSas({ container: config.SILVER_CONTAINER, blob: '_health/none' }, { minutes: 1 })
      if (kind === 'user_delegation') return { status: 'ok', detail: 'Signatures are made with a key of the identity.' }
      return {
        status: config.ENVIRONMENT === 'production' ? 'failed' : 'skipped',
        detail: 'Signatures are made with the key of the account.',
        ...(config.ENVIRONMENT === 'production' ? { remediation: 'Set DATA_STORAGE_URL instead of a connection string.' } : {}),
      }
    },
  }
}

const SKEW_WARN_MS = 5000
const SKEW_FAIL_MS = 60_000

/** Seconds between this clock and that of storage, which stamps what is written: signatures and leases rest on it. */
export function storageClock({ blobs, now, process }: Needs): Check {
  const blob = `_health/clock-${process.id}`
  return {
    name: 'storage.clock',
    async ask() {
      const before = now().getTime()
      const { last_modified } = await blobs.write(INTERNAL_CONTAINER, blob, Buffer.from('ok'), { mode: 'overwrite' })
      const after = now().getTime()
      await blobs.delete({ container: INTERNAL_CONTAINER, blob })
      return skew(Date.parse(last_modified), before, after, 1000)
    },
  }
}

/**
 * How far another clock is from this one, asked between two moments.
 * @param grain what the other clock rounds down to, in ms
 */
export function skew(there: number, before: number, after: number, grain: number): Finding {
  if (Number.isNaN(there)) throw new AppError('INTERNAL', 'The other side told no time.')
  const off = there + grain < before ? before - there - grain : there > after ? there - after : 0
  const seconds = Math.round(off / 1000)
  const data = { seconds }
  if (off < SKEW_WARN_MS) return { status: 'ok', data }
  return {
    status: off < SKEW_FAIL_MS ? 'degraded' : 'failed',
    detail: `The clocks are ${seconds} s apart: signatures and tokens may be refused.`,
    remediation: 'Set the clock of the machine that runs the app by a time service.',
    data,
  }
}
