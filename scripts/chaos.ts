// `npm run chaos -- --minutes 20 --seed 7`: random kills and outages under load for a time, then an audit. Ends with 1 on a violation.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startAzurite } from '../local/azurite.ts'
import { temporaryFolder } from '../local/temporary-folder.ts'
import { chaos } from '../test/support/chaos.ts'
import { freshApp } from '../local/build-app.ts'

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' } } })
const [minutes, seed] = [Number(values.minutes), Number(values.seed)]
if (!(minutes > 0) || !Number.isInteger(seed) || seed < 0) {
  console.error('usage: npm run chaos -- [--minutes 20] [--seed 1]')
  process.exit(2)
}
await freshApp()
const home = temporaryFolder('lamplighter-chaos-')
const azurite = await startAzurite({ folder: join(home, 'azurite') })
try {
  const report = await chaos({
    storage: azurite.connectionString,
    folder: join(home, 'postgres'),
    seed,
    minutes,
    disturbances: 0,
    log: (line) => console.log(line),
  })
  console.log(JSON.stringify({ seed, minutes, ...report }, null, 2))
  process.exitCode = report.violations.length > 0 ? 1 : 0
} finally {
  await azurite.stop()
  rmSync(home, { recursive: true, force: true })
}
