// `npm run check`: format, lint, types, generated files. Every tool runs, so that one call shows everything.
import { spawnSync } from 'node:child_process'

const steps: readonly (readonly [name: string, command: string, args: readonly string[]])[] = [
  ['format', 'oxfmt', ['--check', '.']],
  ['lint', 'oxlint', ['--type-aware', '--deny-warnings', '.']],
  ['types', 'tsc', ['--noEmit']],
  ['types of the page', 'tsc', ['--noEmit', '-p', 'src/web']],
  ['generated files', process.execPath, ['scripts/gen.ts', '--check']],
]

let failed = 0
for (const [name, command, args] of steps) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' })
  if (error) console.error(`${name}: ${error.message}; run npm ci first`)
  if (status !== 0) failed++
  console.log(`${status === 0 ? 'ok' : 'FAILED'}  ${name}`)
}
process.exit(failed === 0 ? 0 : 1)
