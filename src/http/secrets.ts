// Where secrets come from, and forgetting those that are kept. Values never leave the process.
import * as z from 'zod'
import { addEvent } from '../db/job-functions.ts'
import { type HttpRow, route } from './route.ts'

export const secretRoutes: readonly HttpRow[] = [
  route({
    name: 'getSecretsInfo',
    summary: 'where secrets come from, whether the vault answers, names that are kept',
    method: 'GET',
    path: 'secrets/info',
    role: 'admin',
    handle: async ({ r }) => ({ body: await r.secrets.vaultInfo() }),
  }),
  route({
    name: 'clearSecretsCache',
    summary: 'forget kept secrets after a rotation, on the instance that answers',
    method: 'POST',
    path: 'secrets/clear-cache',
    role: 'admin',
    body: z.strictObject({}),
    handle: async ({ r, caller }) => {
      const cleared = r.secrets.clearCache()
      await addEvent(r.db, { job_id: null, event: 'secrets.cache_cleared', actor: caller.name, data: { cleared } })
      return { body: { cleared } }
    },
  }),
]
