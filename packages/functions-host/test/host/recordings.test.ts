// The recorded app, unmodified, on this host: the scenarios of the real host again, answer by answer and event by event.
import pLimit from 'p-limit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Host, startHost } from '../support/host.ts'
import { acceptedFor, NOT_RUN, UNORDERED } from '../support/recorded-differences.ts'
import {
  cutEqually,
  executionsOf,
  normalized,
  type Replay,
  recordedInstances,
  replaysOf,
  scenario,
  scenarioNames,
} from '../support/recorded.ts'
import { type Compared, sameAnswer, ScenarioRun } from '../support/recorded-run.ts'
import { fixture } from '../support/fixture.ts'

const APPS = fixture('durable')
const ENV = { ...process.env, LHOST_UNSUPPORTED: 'warn', WEBSITE_HOSTNAME: 'localhost:7071' }

interface Group {
  readonly title: string
  readonly names: readonly string[]
  readonly app: 'app' | 'app-stream'
  readonly enforceKeys: boolean
  readonly atOnce: number
}
const all = scenarioNames().filter((name) => !(name in NOT_RUN))
const alone = (name: string): boolean => /^(host|listing|zz)/.test(name)
const GROUPS: readonly Group[] = [
  { title: 'side by side', names: all.filter((n) => !alone(n)), app: 'app', enforceKeys: false, atOnce: 12 },
  { title: 'listing and purging', names: ['listing'], app: 'app', enforceKeys: false, atOnce: 1 },
  { title: 'workers that die', names: all.filter((n) => n.startsWith('zzworker')), app: 'app', enforceKeys: false, atOnce: 1 },
  {
    title: 'HTTP functions and keys',
    names: all.filter((n) => /^host(Http|Large)$/.test(n)),
    app: 'app',
    enforceKeys: true,
    atOnce: 1,
  },
  { title: 'HTTP with streaming', names: ['hostHttp-stream'], app: 'app-stream', enforceKeys: true, atOnce: 1 },
]

const replays = new Map<string, Replay[]>()
const parents = new Map<string, string>()

function record(id: string, payload: string, answer: { ok: boolean; value?: unknown; message?: string }): void {
  const { history, isReplaying, parentInstanceId } = JSON.parse(payload) as Replay & { parentInstanceId: string | null }
  const state = (answer.ok ? answer.value : JSON.parse(answer.message?.split('$OutOfProcData$:')[1] ?? '{}')) as {
    actions?: Replay['actions'][]
  }
  const actions = state.actions?.[0] ?? []
  replays.set(id, [...(replays.get(id) ?? []), { history, actions, isReplaying }])
  if (parentInstanceId) parents.set(id, parentInstanceId)
}

for (const { title, names, app, enforceKeys, atOnce } of GROUPS) {
  describe(title, () => {
    const answers = new Map<string, readonly Compared[]>()
    let host: Host
    beforeAll(async () => {
      host = await startHost({
        folder: `${APPS}/${app}`,
        port: 0,
        log: () => undefined,
        env: ENV,
        traps: 'off',
        enforceKeys,
        onReplay: record,
      })
      const limit = pLimit(atOnce)
      const replay = (name: string): Promise<readonly Compared[]> =>
        new ScenarioRun(host, scenario(name), (what) => acceptedFor(name, what) !== undefined).run()
      await Promise.all(names.map((name) => limit(async () => void answers.set(name, await replay(name)))))
    })
    afterAll(() => host.stop())
    for (const name of names) {
      test(`${name}: the same answers`, () => {
        const compared = answers.get(name) ?? []
        expect(compared.length).toBeGreaterThan(0)
        for (const pair of compared) {
          const accepted = acceptedFor(name, pair.what)
          // An accepted difference that is none any more has to leave the list.
          if (accepted?.sometimes) continue
          if (accepted) expect(sameAnswer(pair), `${pair.what} is equal now`).toBe(false)
          else expect(normalized(cutEqually(pair.recorded, pair.mine)), pair.what).toEqual(normalized(pair.recorded))
        }
      })
    }
  })
}

describe('per instance the same actions and the same events', () => {
  const instances = recordedInstances(all)
  test.each(instances)('%s', (name) => {
    const theirs = replaysOf(name) ?? []
    const ours = replays.get(localId(name)) ?? []
    expect(ours.length).toBeGreaterThan(0)
    expect(normalized(cutEqually(theirs.at(-1)?.actions, ours.at(-1)?.actions))).toEqual(normalized(theirs.at(-1)?.actions))
    expect(ours[0]?.isReplaying).toBe(false)
    const [recorded, mine] = [executionsOf(theirs), executionsOf(ours)]
    expect(mine.length).toBe(recorded.length)
    for (const [i, execution] of recorded.entries()) {
      const sort = name.replace(/\..*/, '') in UNORDERED
      expect(eventsOf(mine[i] ?? [], execution, sort)).toEqual(eventsOf(execution, execution, sort))
    }
  })
})

/** `subFan.auto1` is the second child of subFan here too. */
function localId(name: string): string {
  const [parent = '', child = ''] = name.split('.')
  if (!child) return name
  if (!child.startsWith('auto')) return `${parent}:${child}`
  const number = child.slice('auto'.length)
  return [...parents].find(([id, p]) => p === parent && id.endsWith(`:${number}`))?.[0] ?? ''
}

/** Markers show batches, which vary; IsPlayed follows them. Member names and their order are compared too. */
function eventsOf(mine: readonly object[], recorded: readonly object[], sort: boolean): unknown[] {
  const shown = (events: readonly object[]): object[] =>
    events.filter((e) => ![12, 13].includes((e as { EventType: number }).EventType))
  const theirs = shown(recorded)
  const rows = shown(mine).map((event, i) => {
    const { IsPlayed: _, ...rest } = cutEqually(sort ? undefined : theirs[i], event) as { IsPlayed: boolean }
    return { keys: Object.keys(event).join(), ...(normalized(rest) as object) }
  })
  return sort ? rows.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : rows
}
