// Circuit breakers shared by all instances through Postgres.
import * as z from 'zod'
import { SnakeName } from './names.ts'
import { instant, instantNow, int32, type TableDefinition } from './sql-meta.ts'

export const BreakerState = z.enum(['closed', 'open', 'half_open'])

export const CircuitBreaker = z.object({
  name: SnakeName.describe('dependency, e.g. storage'),
  state: BreakerState.default('closed'),
  failures: int32(0).default(0).describe('consecutive failures'),
  opened_at: instant().nullable(),
  half_open_lease: instant().nullable().describe('until when one probe is under way'),
  updated_at: instantNow('last change'),
})

export const circuitBreakersTable: TableDefinition = {
  name: 'circuit_breakers',
  comment: 'State of dependencies, shared by all instances.',
  model: CircuitBreaker,
  primaryKey: ['name'],
}
