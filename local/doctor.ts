// `npm run doctor`: what this machine has, and whether a running app answers.
import { LocalError } from './local-error.ts'
import { findPostgres } from './postgres-binaries.ts'
import { dataHome } from './data-home.ts'
import { connectionLines, liveRun } from './run-lock.ts'

/** Prints one line per check; throws when one failed. */
export async function doctor(url: string | undefined): Promise<void> {
  const checks: [string, () => Promise<string>][] = [
    ['node', () => Promise.resolve(process.version)],
    ['postgres', async () => (process.env['DATABASE_URL'] ? 'DATABASE_URL is set' : (await findPostgres()).folder)],
    ['data folder', () => Promise.resolve(dataHome())],
    ['app', () => askApp(url)],
  ]
  let failed = 0
  for (const [name, check] of checks) {
    try {
      console.log(`ok      ${name.padEnd(12)} ${await check()}`)
    } catch (error) {
      failed++
      console.log(`FAILED  ${name.padEnd(12)} ${error instanceof Error ? error.message : 'unknown'}`)
    }
  }
  const run = liveRun(dataHome())
  for (const line of connectionLines(run?.connections)) console.log(`        ${line}`)
  if (failed > 0) throw new LocalError(`${failed} of ${checks.length} checks failed.`)
}

async function askApp(url: string | undefined): Promise<string> {
  const at = url ?? liveRun(dataHome())?.url
  if (!at) return 'not running here (npm start), and no --url given'
  const answer = await fetch(`${at}/api/health/ready`)
  const text = await answer.text()
  if (!answer.ok) throw new LocalError(`${at} is not ready: ${answer.status} ${text}`)
  return `${at} is ready`
}
