// `npm test`: every project but endurance, or what the arguments name; closes with one line of totals.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

interface Totals {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
}

const folder = mkdtempSync(join(tmpdir(), 'lamplighter-totals-'))
const report = join(folder, 'report.json')
const given = process.argv.slice(2)
const args = [
  'node_modules/vitest/vitest.mjs',
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
  ...(given.length > 0 ? given : ['--project=!endurance']),
]
// Each file starts hosts and workers of its own: they load what the first of them compiled.
const env = { NODE_COMPILE_CACHE: resolve('node_modules/.cache/compile'), ...process.env }
const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', env })
try {
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, 'utf8')) as Totals
  console.log(`${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`)
} catch {
  console.error('The test runner ended without a report.')
}
rmSync(folder, { recursive: true, force: true })
process.exit(status ?? 1)
