// Queries of the portal name events, figures and functions that exist: a renamed one fails here, not in an alert that stays silent.
import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, expect, test } from 'vitest'
import { query, SECTIONS, workbookJson } from '../../scripts/workbook.ts'
import { HTTP_TABLE } from '../../src/http/table.ts'
import { ORCHESTRATOR } from '../../src/models/steps.ts'
import { LOG_EVENTS } from '../../src/rules/log-events.ts'
import { METRICS } from '../../src/telemetry/metrics.ts'

const files = globSync('infra/monitoring/queries/*.kql')
  .map((f) => basename(f, '.kql'))
  .sort()
const source = globSync('src/**/*.ts').map((f) => readFileSync(f, 'utf8'))

/** Each call of the log: its event names and the text of its fields. */
const calls = source.flatMap((text) =>
  [...text.matchAll(/\blog(?:\??\.(?:debug|info|warn|error))?\((?=([\s\S]{0,400}))/g)].map(([, rest = '']) => {
    const [events = '', fields = ''] = rest.split(/,([\s\S]*)/)
    return {
      events: [...events.matchAll(/'([a-z_]+(?:\.[a-z_]+)+)'/g)].map(([, name = '']) => name),
      fields: untilClosed(fields),
    }
  }),
)
/** Up to where the call's own bracket closes. */
function untilClosed(text: string): string {
  let depth = 1
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(') depth++
    else if (text[at] === ')' && --depth === 0) return text.slice(0, at)
  }
  return text
}
const emitted = new Set(calls.flatMap((c) => c.events))

/** What a query asks of the app's own lines: `entry.event == "…"` or `in ("…", "…")`, and `entry.field`. */
const eventsOf = (text: string): string[] =>
  [...text.matchAll(/\bevent\s*(?:==|in)\s*(\([^)]*\)|"[^"]*")/g)].flatMap(([, list = '']) => quoted(list))
const quoted = (text: string): string[] => [...text.matchAll(/"([^"]*)"/g)].map(([, name = '']) => name)
const fieldsOf = (text: string): string[] =>
  [...new Set([...text.matchAll(/\bentry\.(\w+)/g)].map(([, name = '']) => name))].filter((n) => n !== 'event')
const mayHold = (event: string, field: string): boolean =>
  calls.some((c) => c.events.includes(event) && new RegExp(`\\b${field}\\b`).test(c.fields))

test('the events are found in the source', () => {
  expect([...emitted]).toEqual(expect.arrayContaining(['job.finished', 'breaker.opened', 'breaker.closed', 'stage.closed']))
  expect(emitted.size).toBeGreaterThan(20)
})

test('the registry holds what is emitted, and nothing that nobody emits', () => {
  expect([...emitted].sort()).toEqual(Object.keys(LOG_EVENTS))
})

describe.each(files)('%s', (name) => {
  const text = query(name)
  const events = eventsOf(text).filter((e) => e.includes('.'))
  test('begins with the sentence that it answers', () => expect(text).toMatch(/^\/\/ [A-Z].{20,}\.\n/))
  test('asks for events that are emitted', () => expect(events.filter((e) => !emitted.has(e))).toEqual([]))
  test('reads fields that the events have', () => {
    const wanted = events.length > 0 ? events : [...emitted]
    expect(fieldsOf(text).filter((field) => !wanted.some((event) => mayHold(event, field)))).toEqual([])
  })
  test('asks for figures that the app has', () => {
    expect(quoted(text).filter((s) => s.startsWith('lamplighter.') && !(s in METRICS))).toEqual([])
  })
  test('asks for functions that are registered', () => {
    const registered = [...HTTP_TABLE.map((r) => r.name), ORCHESTRATOR, 'advanceJob', 'runTasks', 'reconcileJobs', 'purgeJobs']
    const asked = /^requests/m.test(text)
      ? [...text.matchAll(/\bname (?:==|in) (\([^)]*\)|"[^"]*")/g)].flatMap(([, list = '']) => quoted(list))
      : []
    expect(asked.filter((f) => !registered.includes(f))).toEqual([])
  })
})

describe('a renamed event, field, figure or function is noticed', () => {
  test.each([
    ['event', eventsOf('| where entry.event in ("job.finished", "job.ended")').filter((e) => !emitted.has(e)), ['job.ended']],
    ['field', ['dependency', 'supplier'].filter((f) => !mayHold('breaker.opened', f)), ['supplier']],
    ['figure', quoted('name == "lamplighter.tasks.done"').filter((m) => !(m in METRICS)), ['lamplighter.tasks.done']],
  ])('%s', (_what, found, expected) => expect(found).toEqual(expected))
})

test('the workbook holds each query once, as its file has it', () => {
  const items = (
    JSON.parse(readFileSync('infra/monitoring/workbook.json', 'utf8')) as {
      items: { type: number; name: string; content: { query: string } }[]
    }
  ).items
  const queries = items.filter((i) => i.type === 3)
  expect(queries.map((q) => q.name).sort()).toEqual(files)
  for (const { name, content } of queries) expect(content.query).toBe(query(name))
  expect(SECTIONS.flatMap((s) => s.queries).sort()).toEqual(files)
  expect(readFileSync('infra/monitoring/workbook.json', 'utf8')).toBe(workbookJson())
})

test('alerts take their queries from the same files', () => {
  const asked = [
    ...readFileSync('infra/monitoring/alerts.bicep', 'utf8').matchAll(/loadTextContent\('queries\/([\w-]+)\.kql'\)/g),
  ].map(([, n]) => n)
  expect(asked.length).toBe(6)
  expect(asked.filter((n) => !files.includes(n ?? ''))).toEqual([])
})
