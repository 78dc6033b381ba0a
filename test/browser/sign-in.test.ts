// Who may see and do what: the key stays in the tab, and a role brings its buttons. The answers are made up; roles.test.ts asks the real app.
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { openPage, type OpenPage, Refusal, servePage, startBrowser } from '../support/browser.ts'

const { browser, reason } = await startBrowser()
const KEY = 'kEy-of-a-test=='
const TOKEN = 'aaa.bbb.ccc'
const ID = 'ab'.repeat(32)
const AT = '2026-01-02T03:04:05.678Z'
const progress = { percent: 10, done: 1, total: 10, failed: 0, running: 1, retrying: 0, estimated: false, eta: null }
const job = {
  job_id: ID,
  job_type: 'hello_world',
  status: 'processing',
  attempt: 1,
  stage: 1,
  total_stages: 2,
  parameters: {},
  metadata: {},
  error_code: null,
  submitted_by: 'ada',
  created_at: AT,
  started_at: AT,
  finished_at: null,
  updated_at: AT,
  progress,
  stages: [],
  result: null,
  error: null,
  runtime_status: 'Running',
}
const schedule = {
  schedule_id: 's',
  job_type: 'hello_world',
  parameters: {},
  cron: '0 1 * * *',
  time_zone: 'UTC',
  missed: 'skip',
  is_paused: false,
  next_due_times: [AT],
  last_run: null,
  updated_at: AT,
}
const webhook = { webhook_id: 'w', url: 'https://x.example/', secret_name: 'k', job_type: null, statuses: [], updated_at: AT }
const delivery = {
  job_id: ID,
  attempt: 1,
  status: 'dead',
  tries: 9,
  answered: 500,
  error: null,
  created_at: AT,
  delivered_at: null,
}
const whoami = (role: string): object => ({
  name: 'ada',
  role,
  auth_mode: 'jwt',
  environment: 'production',
  release: { version: '1', commit: null },
  containers: { bronze: 'b', silver: 's', gold: 'g' },
  links: { site: '/subscriptions/s/resourceGroups/g', insights: null, scheduler: 'https://dashboard.example/' },
})

test.skipIf(browser)(`the browser cannot start here${reason ? `: ${reason}` : ''}`, () => undefined)

describe.skipIf(!browser)('signing in', () => {
  let opened: OpenPage
  afterEach(async () => {
    expect(opened.problems).toEqual([])
    await opened.page.context().close()
  })
  afterAll(() => browser?.close())

  /** A page whose server knows the key and the token, until `forget` is called. */
  async function open(role: string): Promise<{ forget: () => void; sent: Record<string, string>[] }> {
    const sent: Record<string, string>[] = []
    let known = true
    opened = await openPage(browser!, 'http://page.test')
    await servePage(opened.page, (path, headers) => {
      sent.push({ ...headers, path })
      const isKnown = headers['x-functions-key'] === KEY || headers['authorization'] === `Bearer ${TOKEN}`
      if (!known || !isKnown) return new Refusal(401, {})
      if (path === 'whoami') return whoami(role)
      if (path.startsWith('monitor/jobs/')) return { job, figures: [], errors: [], at: AT }
      if (path.startsWith('monitor/jobs')) return { jobs: [{ ...job, stage_name: 'say_greeting' }], at: AT }
      if (path === 'schedules/s') return schedule
      if (path === 'webhooks/w') return webhook
      return { tasks: [], job_types: [], runs: [], schedules: [schedule], webhooks: [webhook], deliveries: [delivery] }
    })
    await opened.go(`#/jobs/${ID}`)
    return { forget: () => void (known = false), sent }
  }
  const paste = async (text: string): Promise<void> => {
    await opened.page.getByLabel('Key or token').fill(text)
    await opened.page.getByRole('button', { name: 'Sign in' }).click()
  }

  test('a key goes in its header, into the memory of the tab and nowhere else', async () => {
    const { sent } = await open('operator')
    await paste('wrong')
    await opened.page.getByText('That was refused').waitFor()
    await paste(KEY)
    await opened.page.getByRole('button', { name: 'Pause' }).waitFor()
    expect(sent.every(({ path }) => !path?.includes(KEY))).toBe(true)
    expect(opened.page.url()).not.toContain(KEY)
    const kept = await opened.page.evaluate<string[]>(
      '[JSON.stringify(localStorage), document.cookie, JSON.stringify(sessionStorage)]',
    )
    expect(kept.map((text) => text.includes(KEY))).toEqual([false, false, true])
    await opened.page.getByRole('button', { name: 'Sign out' }).click()
    await opened.page.getByLabel('Key or token').waitFor()
    expect(await opened.page.evaluate('sessionStorage.length')).toBe(0)
  })

  test('a token is sent as one, and asked for again when it has ended', async () => {
    const { forget, sent } = await open('operator')
    await paste(`Bearer ${TOKEN}`)
    await opened.page.getByRole('button', { name: 'Pause' }).waitFor()
    expect(sent.at(-1)).toMatchObject({ authorization: `Bearer ${TOKEN}` })
    forget()
    // The next refresh finds out: a click on its button would race with it.
    await opened.page.getByLabel('Key or token').waitFor()
  })

  test('a reader has no button that would be refused; links lead where the settings say', async () => {
    await open('reader')
    await paste(KEY)
    await opened.page.getByRole('heading', { name: 'hello_world' }).waitFor()
    const { page } = opened
    for (const name of ['Pause', 'Cancel', 'Run again'])
      expect([name, await page.getByRole('button', { name }).count()]).toEqual([name, 0])
    const links = await page.locator('.links a[target]').evaluateAll((all) => all.map((a) => a.getAttribute('href')))
    expect(links).toEqual(['https://dashboard.example/', 'https://portal.azure.com/#resource/subscriptions/s/resourceGroups/g'])
    await opened.go('#/jobs?status=failed')
    await page.locator('table.list tbody tr').first().waitFor()
    expect(await page.getByRole('button', { name: /^Act on all/ }).count()).toBe(0)
    for (const [hash, ready] of [
      ['#/schedules', 'td'],
      ['#/schedules/s', '.next-runs'],
      ['#/webhooks', 'td'],
      ['#/webhooks/w', 'td'],
      ['#/schedules/s?edit=1', '.next-runs'],
    ] as const) {
      await opened.go(hash)
      await page.locator(ready).first().waitFor()
      const offered = page.getByRole('main').getByText(/^(New|Edit|Pause|Resume|Delete|Send again|Save)/)
      expect([hash, await offered.allTextContents()]).toEqual([hash, []])
    }
    await opened.go('#/submit/hello_world')
    await opened.go('#/health')
    await page.getByText('The full report needs the role operator.').waitFor()
  })
})
