// A short run of `npm run chaos`. More by flag: CHAOS=40 CHAOS_SEED=7.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { temporaryFolder } from '../../local/temporary-folder.ts'
import { keptOutput } from 'functions-host/testing'
import { chaos } from '../support/chaos.ts'

const DISTURBANCES = Number(process.env['CHAOS'] ?? 3)
const SEED = Number(process.env['CHAOS_SEED'] ?? 3)

test(
  `${DISTURBANCES} disturbances, seed ${SEED}: every job ends well, every effect once, nothing is left over`,
  async () => {
    const home = temporaryFolder('lamplighter-chaos-')
    const order = { storage: inject('storage'), folder: join(home, 'postgres'), seed: SEED, disturbances: DISTURBANCES }
    const lines: string[] = []
    const report = await chaos({ ...order, log: (line) => lines.push(line), output: keptOutput() })
    expect(report.violations, lines.join('\n')).toEqual([])
    expect(report.jobs).toBe(5 * DISTURBANCES)
    rmSync(home, { recursive: true, force: true })
  },
  120_000 + DISTURBANCES * 60_000,
)
