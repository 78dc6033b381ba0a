import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type Action, ActionType } from '../../src/durable/actions.ts'
import * as e from '../../src/durable/events.ts'
import { walk } from '../../src/durable/walker.ts'
import { fixture } from '../support/fixture.ts'

const FOLDER = fixture('durable/replay')

interface Recorded {
  readonly kind: string
  readonly payload: { history: e.HistoryEvent[] }
  readonly response: { returnValue?: { actions: Action[][] }; exceptionData?: { actions: Action[][] } }
}

const KINDS: Partial<Record<number, string>> = {
  [e.EventType.TaskScheduled]: 'task',
  [e.EventType.SubOrchestrationInstanceCreated]: 'child',
  [e.EventType.TimerCreated]: 'timer',
}
const scheduledEvents = (history: readonly e.HistoryEvent[]) =>
  history
    .filter((h) => KINDS[h.EventType])
    .map((h) => ({ id: h.EventId, kind: KINDS[h.EventType], ...(h.Name ? { name: h.Name } : {}) }))
const executionOf = (r: Recorded): string | undefined =>
  r.payload.history.find((h) => h.EventType === e.EventType.ExecutionStarted)?.OrchestrationInstance?.ExecutionId

describe('recordings of the real host: the same actions schedule the same ids', () => {
  for (const file of readdirSync(FOLDER)) {
    const turns = readFileSync(`${FOLDER}/${file}`, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Recorded)
      .filter((r) => r.kind === 'orchestrationTrigger')
    test(`${file}: ${turns.length} turns`, () => {
      let compared = 0
      for (const [i, turn] of turns.entries()) {
        const next = turns[i + 1]
        const actions = (turn.response.returnValue ?? turn.response.exceptionData)?.actions[0]
        if (!actions) continue
        const walked = walk(actions, turn.payload.history)
        expect(walked.nonDeterminism === undefined).toBe(!(file === 'nonDeterministic.ndjson' && i === 1))
        if (!next || executionOf(next) !== executionOf(turn)) continue
        compared++
        const mine = walked.scheduled.map(({ id, kind, name }) => ({ id, kind, ...(name ? { name } : {}) }))
        expect(mine, `turn ${i}`).toEqual(scheduledEvents(next.payload.history))
      }
      expect(compared).toBeGreaterThanOrEqual(turns.length > 1 ? 1 : 0)
    })
  }
})

describe('rules that no recording shows alone', () => {
  const at = (ms: number): string => new Date(ms).toISOString()
  const start = (ms = 0): e.HistoryEvent[] => [
    e.orchestratorStarted(at(ms)),
    e.executionStarted(at(ms), { instanceId: 'i', executionId: 'x', name: 'o', version: null, input: null, generation: 0 }),
  ]
  const call = (functionName: string): Action => ({ actionType: ActionType.CallActivity, functionName })

  test('a timer of 13 days takes four ids: three pieces of three days and a rest below six', () => {
    const day = 86_400_000
    const actions: Action[] = [{ actionType: ActionType.CreateTimer, fireAt: at(13 * day), isCanceled: false }]
    const history = start()
    let now = 0
    for (let i = 0; i < 10; i++) {
      const { scheduled, open } = walk(actions, history)
      const last = scheduled.at(-1)
      if (open.size === 0 || !last) break
      now = Date.parse(last.fireAt ?? '')
      history.push(
        e.timerCreated(at(0), last.id, last.fireAt ?? ''),
        e.orchestratorStarted(at(now)),
        e.timerFired(at(0), last.id, last.fireAt ?? ''),
      )
    }
    const { scheduled } = walk(actions, history)
    expect(scheduled.map((s) => Date.parse(s.fireAt ?? '') / day)).toEqual([3, 6, 9, 13])
    expect(now).toBe(13 * day)
  })

  test('a timer that is cancelled in the turn that made it is written and never open', () => {
    const { scheduled, open, cancelled } = walk(
      [{ actionType: ActionType.CreateTimer, fireAt: at(1000), isCanceled: true }, call('a')],
      start(),
    )
    expect(scheduled.map((s) => s.kind)).toEqual(['timer', 'task'])
    expect([...open]).toEqual([1])
    expect([...cancelled]).toEqual([0])
  })

  test('two waits for one event: the newest gets it', () => {
    const wait = (functionName: string): Action => ({
      actionType: ActionType.WhenAll,
      compoundActions: [{ actionType: ActionType.WaitForExternalEvent, externalEventName: 'Go' }, call(functionName)],
    })
    const actions: Action[] = [{ actionType: ActionType.WhenAny, compoundActions: [wait('older'), wait('newer')] }]
    const { open } = walk(actions, [...start(), e.eventRaised(at(0), 'go', 'null'), e.taskCompleted(at(0), 0, null)])
    expect([...open]).toEqual([1])
  })

  test('history that these actions cannot have produced is named with id, old and new', () => {
    const history = [...start(), e.taskScheduled(at(0), 0, 'hello')]
    expect(walk([call('echo')], history).nonDeterminism?.message).toBe(
      "Non-Deterministic workflow detected: A previous execution of this orchestration scheduled an activity task with sequence number 0 named 'hello', but the current orchestration replay instead scheduled an activity task named 'echo' with this sequence number.  Was a change made to the orchestrator code after this instance had already started running?",
    )
    expect(walk([], history).nonDeterminism?.message).toContain("hasn't (yet?) scheduled this task")
  })
})
