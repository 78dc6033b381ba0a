// Processes that run tasks: who is silent is dead, and what it claimed is given back.
import * as z from 'zod'
import { instantNow, type TableDefinition } from './sql-meta.ts'

export const Host = z.object({
  host_id: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .describe('begins the uuid of every claim of this process'),
  name: z.string().min(1).max(200).describe('where it runs: the next process of this name follows it'),
  started_at: instantNow('first sign of life'),
  seen_at: instantNow('last sign of life, while it runs tasks'),
})

export const hostsTable: TableDefinition = {
  name: 'hosts',
  comment: 'Processes that run tasks, while they do.',
  model: Host,
  primaryKey: ['host_id'],
}
