// The connection breaks between the commit of a call and its answer: the database did it, and the app does not know.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { createDatabase, type TestDatabase } from '../support/db.ts'
import { startTcpRelay, type TcpRelay } from '../support/tcp-relay.ts'

let database: TestDatabase
let relay: TcpRelay
let app: TestApp
beforeAll(async () => {
  database = await createDatabase()
  const url = new URL(database.appUrl)
  relay = await startTcpRelay(Number(url.port))
  url.port = String(relay.port)
  // An hour: whoever loses a claim waits for longer than any test.
  app = await startApp({ databaseUrl: url.href, env: { LEASE_SECONDS: '3600' } })
})
afterAll(async () => {
  await app.stop()
  await relay.close()
  await database.drop()
})

test.each([
  ['claim_tasks', 1000],
  ['complete_tasks', 1000],
  ['close_stage', 1000],
  ['plan_stage', 1000],
  // A plan of more than one batch, and a stage that one worker does.
  ['add_tasks', 2500],
  ['complete_tasks_and_close', 30],
  // Known as quick from the row before: planned and handed out in one call.
  ['plan_stage', 20],
])('%s: every third answer is lost, and the job ends within its lease, each effect once', async (name, n) => {
  let calls = 0
  let cuts = 0
  relay.cutAnswer = (sent) => {
    const isCut = sent.includes(`app.${name}(`) && calls++ % 3 === 0
    if (isCut) cuts++
    return isCut
  }
  const { job_id } = await app.submit('hello_world', { n, name })
  expect(await app.waitForJob(job_id)).toMatchObject({ status: 'completed', attempt: 1, result: { greetings: n, replies: n } })
  relay.cutAnswer = () => false
  expect([name, cuts > 0]).toEqual([name, true])
  const rows = await database.pool.query(
    `SELECT s.stage_no AS stage, count(*)::int AS n, max(t.claims)::int AS claims FROM app.stages s JOIN app.tasks t USING (stage_id)
       WHERE s.job_id = $1 AND t.status = 'completed' GROUP BY 1 ORDER BY 1`,
    [job_id],
  )
  // A claim that was asked for again is the same claim.
  expect(rows).toEqual([1, 2].map((stage) => ({ stage, n, claims: 1 })))
})
