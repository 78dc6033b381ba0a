// What an app says of itself: the whole report where a key or token is at hand, else what it tells everybody.
import * as z from 'zod'
import type { Line } from './finding.ts'

const Report = z.object({
  checks: z.array(
    z.object({
      name: z.string(),
      status: z.enum(['ok', 'degraded', 'failed', 'skipped', 'timeout']),
      code: z.string().optional(),
      detail: z.string().optional(),
      remediation: z.string().optional(),
      data: z.record(z.string(), z.unknown()).optional(),
    }),
  ),
})
const Problem = z.object({ code: z.string(), detail: z.string() })
const ANSWER_MS = 40_000

/** `LAMPLIGHTER_TOKEN` (a bearer token) or `LAMPLIGHTER_KEY` (a function key) of the environment. */
function credentials(env: NodeJS.ProcessEnv): Record<string, string> {
  if (env['LAMPLIGHTER_TOKEN']) return { authorization: `Bearer ${env['LAMPLIGHTER_TOKEN']}` }
  return env['LAMPLIGHTER_KEY'] ? { 'x-functions-key': env['LAMPLIGHTER_KEY'] } : {}
}

/** @param url base address, e.g. https://NAME.azurewebsites.net. @throws Error when it gives no answer that an app of ours gives */
export async function appLines(url: string, env: NodeJS.ProcessEnv): Promise<Line[]> {
  const live = await ask(url, 'live', {})
  const version = z.object({ version: z.string(), commit: z.string().nullable() }).safeParse(live.body).data
  if (live.status !== 200 || !version)
    throw new Error(`${url}/api/health/live answers ${live.status}: that is no app of this kind.`)
  const first: Line = {
    name: 'app',
    status: 'ok',
    detail: `${url}, version ${version.version}${version.commit ? ` (${version.commit})` : ''}`,
  }
  const full = await ask(url, 'full', credentials(env))
  if (full.status === 401 || full.status === 403)
    return [
      first,
      ...linesOf((await ask(url, 'ready', {})).body),
      { name: 'report', status: 'skipped', detail: refusedText(full.status), remediation: HOW },
    ]
  return [first, ...linesOf(full.body)]
}
const HOW = 'Set LAMPLIGHTER_KEY to a function key of the app, or LAMPLIGHTER_TOKEN to a token of an operator.'
const refusedText = (status: number): string =>
  status === 401 ? 'The whole report is for operators.' : 'This key or token is not an operator’s.'

async function ask(url: string, what: string, headers: Record<string, string>): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(new URL(`/api/health/${what}`, url), {
    headers,
    redirect: 'error',
    signal: AbortSignal.timeout(ANSWER_MS),
  })
  const text = await answer.text()
  try {
    return { status: answer.status, body: JSON.parse(text) }
  } catch {
    return { status: answer.status, body: text }
  }
}

function linesOf(body: unknown): Line[] {
  const report = Report.safeParse(body).data
  if (report)
    return report.checks.map(({ name, status, code, detail, remediation, data }) => ({
      name,
      status,
      detail: [code, detail, data && figures(data)].filter(Boolean).join(' '),
      ...(remediation === undefined ? {} : { remediation }),
    }))
  const problem = Problem.safeParse(body).data
  if (problem) return [{ name: 'app', status: 'failed', detail: `${problem.code}: ${problem.detail}` }]
  throw new Error('The app answers something that is not a report.')
}

/** Numbers and words; what is nested is left to --json. */
const figures = (data: Readonly<Record<string, unknown>>): string =>
  Object.entries(data)
    .filter(([, value]) => value !== null && typeof value !== 'object')
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ')
