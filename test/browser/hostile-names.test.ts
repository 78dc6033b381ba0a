// Names and texts that somebody chose to do harm, through every view: each is shown as the text that it is. The data is made up here.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPage, type OpenPage, Refusal, servePage, startBrowser } from '../support/browser.ts'

const { browser, reason } = await startBrowser()

/** Whatever becomes an element of these carries the mark; whatever runs raises the flag. */
const MARKUP = [
  '<img data-hostile src=x onerror="hurt=1">',
  '<script data-hostile>hurt=1</script>',
  '<svg data-hostile onload="hurt=1"></svg>',
  '<iframe data-hostile srcdoc="<script>parent.hurt=1</script>"></iframe>',
  '<a data-hostile href="javascript:hurt=1">click</a>',
  '<b data-hostile>bold</b>',
  '<style data-hostile>*{display:none}</style>',
  '<math data-hostile><mi>x</mi></math>',
  '<details data-hostile open ontoggle="hurt=1">x</details>',
  '<input data-hostile autofocus onfocus="hurt=1">',
  '<form data-hostile action="javascript:hurt=1"><button>x</button></form>',
  '<object data-hostile data="javascript:hurt=1"></object>',
]
/** Out of an attribute, a comment, a script, a title, a text area. */
const BREAKS = ['', '">', "'>", '-->', '</title>', '</textarea></script>']
const PLAIN = [
  'javascript:hurt=1',
  'data:text/html,<script>hurt=1</script>',
  '{{constructor.constructor("hurt=1")()}}',
  '${hurt=1}',
  '&lt;b&gt; &amp;amp; &#x3c;i&#x3e;',
  '\u202Efdp.exe',
  'a\u200Bb\u2066c\u2069',
  '__proto__',
  'constructor',
  '../../../etc/passwd',
  '%3Cscript%3Ehurt=1%3C/script%3E',
  '"onmouseover="hurt=1" x="',
  'x'.repeat(400),
  '名前 — ünïcode 🌍.tif',
]
const NAMES = [...BREAKS.flatMap((out) => MARKUP.map((markup) => out + markup)), ...PLAIN]

const ID = 'ab'.repeat(32)
const AT = '2026-01-02T03:04:05.678Z'
const idOf = (i: number): string => i.toString(16).padStart(64, '0')
const progress = { percent: 50, done: 1, total: 2, failed: 1, running: 0, retrying: 0, estimated: false, eta: null }
const job = (name: string, i: number): object => ({
  job_id: idOf(i),
  job_type: name,
  status: 'failed',
  attempt: 1,
  stage: 1,
  total_stages: 1,
  stage_name: name,
  parameters: { container_name: name },
  metadata: { note: name },
  error_code: name,
  submitted_by: name,
  created_at: AT,
  started_at: AT,
  finished_at: AT,
  updated_at: AT,
  progress,
})
const stage = (name: string, i: number): object => ({
  stage: i + 1,
  name,
  status: 'closed',
  outcome: 'failed',
  expected: 2,
  completed: 1,
  failed: 1,
  skipped: 0,
  running: 0,
  retrying: 0,
  opened_at: AT,
  closed_at: AT,
  summary: name,
  percent: 100,
})
const task = (name: string, i: number): object => ({
  job_id: ID,
  job_type: name,
  stage: 1,
  stage_name: name,
  task_no: i + 1,
  task_key: name,
  source_key: name,
  status: 'failed',
  claims: 1,
  error_code: name,
  error_details: name,
  retryable: false,
  progress: null,
  progress_note: name,
  started_at: AT,
  finished_at: AT,
  duration_ms: 5,
  parameters: { container: 'c', blob: name },
  result_data: { [name]: name },
})
const feature = (name: string, i: number): object => ({
  type: 'Feature',
  id: name,
  collection: name,
  properties: { title: name, 'lamplighter:job_id': name },
  assets: {},
  links: [],
  geometry: { type: 'Point', coordinates: [i - 30, 10] },
})
const run = { due_at: AT, status: 'refused', job_id: ID, attempt: 1 }
const schedule = (name: string): object => ({
  schedule_id: name,
  job_type: name,
  parameters: { [name]: name },
  cron: name,
  time_zone: name,
  missed: 'skip',
  is_paused: false,
  next_due_times: [AT],
  last_run: { ...run, error_code: name, error_details: name },
  created_by: name,
  updated_at: AT,
})
const webhook = (name: string): object => ({
  webhook_id: name,
  url: name,
  secret_name: name,
  job_type: name,
  statuses: [name],
  is_paused: true,
  created_by: name,
  updated_at: AT,
})
const growth = (name: string, i: number): object => {
  const some = { count: 1, bytes: i }
  return { name, added: some, changed: some, removed: some }
}
const tally = Object.fromEntries(NAMES.map((name, i) => [name, { count: 1, size: i + 1 }]))

/** What the API would answer, by the path below `/api/`; the first that fits. */
const ANSWERS: readonly (readonly [path: RegExp, body: unknown])[] = [
  [
    /^whoami/,
    {
      name: NAMES[0],
      role: 'operator',
      auth_mode: 'jwt',
      environment: 'production',
      release: { version: NAMES[1], commit: NAMES[2] },
      containers: { bronze: 'b', silver: 's', gold: 'g' },
      links: { site: null, insights: `/subscriptions/${NAMES[0]}`, scheduler: null },
    },
  ],
  [/^monitor\/jobs\?/, { jobs: NAMES.map(job), count: NAMES.length, at: AT }],
  [
    /^monitor\/jobs\/\w+$/,
    {
      job: {
        ...job(NAMES[0] ?? '', 1),
        job_id: ID,
        stages: NAMES.map(stage),
        result: { [NAMES[0] ?? '']: NAMES, type_distribution: tally, by_extension: NAMES.map(growth) },
        drift: NAMES[3],
        error: { code: NAMES[1], details: NAMES[2] },
        runtime_status: NAMES[4],
      },
      figures: [],
      errors: NAMES.map((name) => ({
        stage: 1,
        stage_name: name,
        error_code: name,
        count: 1,
        retryable: true,
        first_at: AT,
        last_at: AT,
        sample_key: name,
        sample_details: name,
      })),
      at: AT,
    },
  ],
  [
    /^jobs\/\w+\/tasks\/1\//,
    {
      ...task(NAMES[0] ?? '', 0),
      lineage: NAMES.map((name, i) => ({
        stage: i,
        stage_name: name,
        task_key: name,
        status: 'failed',
        result_data: name,
        error_code: name,
      })),
    },
  ],
  [/^jobs\/\w+\/tasks/, { tasks: NAMES.map(task) }],
  [
    /^jobs\/\w+\/events/,
    { events: NAMES.map((name, i) => ({ event_id: String(i), at: AT, actor: name, event: name, data: { reason: name } })) },
  ],
  [
    /^job-types/,
    {
      job_types: NAMES.map((name) => ({
        name,
        description: name,
        stages: [{ stage: 1, name }],
        parameters: {
          properties: { [name]: { type: 'string', description: name, default: name }, pick: { enum: [name], description: name } },
        },
      })),
    },
  ],
  [
    /^containers\/c\/blobs\?/,
    {
      blobs: NAMES.map((name) => ({ name, size: 1, last_modified: AT, content_type: name })),
      folders: NAMES.map((name) => `${name}/`),
      skipped_names: { count: 0 },
    },
  ],
  [/^containers\/c\/blobs\//, { size: 1, last_modified: AT, content_type: NAMES[0], metadata: { note: NAMES } }],
  [
    /^containers\/c\/summary/,
    { file_count: 1, total_size: 1, largest_file_name: NAMES[0], hint: NAMES[1], type_distribution: tally },
  ],
  [/^containers/, { containers: NAMES.map((name) => ({ container_name: name, tier: name, exists: true, last_modified: AT })) }],
  [/^jobs\?/, { jobs: [{ ...job('inventory_container', 1), parameters: { container_name: 'c' } }] }],
  [
    /^jobs\/\w+$/,
    { ...job('inventory_container', 1), result: { by_prefix: NAMES.map((prefix, i) => ({ prefix, count: 1, size: 1000 - i })) } },
  ],
  [/^schedules\?/, { schedules: NAMES.map(schedule) }],
  [
    /^schedules\/s\/runs/,
    {
      runs: NAMES.map((name, i) => ({
        ...run,
        due_at: new Date(i * 60_000).toISOString(),
        error_code: name,
        error_details: name,
      })),
    },
  ],
  [/^schedules\/s$/, schedule(NAMES[0] ?? '')],
  [/^webhooks\?/, { webhooks: NAMES.map(webhook) }],
  [
    /^webhooks\/w\/deliveries/,
    {
      deliveries: NAMES.map((name, i) => ({
        job_id: idOf(i),
        attempt: 1,
        status: 'dead',
        tries: 1,
        next_try_at: AT,
        answered: 500,
        error: name,
        created_at: AT,
        delivered_at: null,
      })),
    },
  ],
  [/^webhooks\/w$/, webhook(NAMES[0] ?? '')],
  [/^stac\/search/, { features: NAMES.map(feature), links: [] }],
  [/^stac\/collections$/, { collections: NAMES.map((name) => ({ id: name, title: name })) }],
  [/^stac\/collections\//, feature(NAMES[0] ?? '', 0)],
  [
    /^monitor\/poison/,
    {
      poison_messages_found: NAMES.length,
      queue_details: NAMES.map((name) => ({ job_type: name, stage_name: name, tasks: 1, jobs: 1, oldest: AT })),
      last_checked: AT,
      status: NAMES[0],
      tasks: NAMES.map(task),
    },
  ],
  [
    /^health\/full/,
    {
      status: NAMES[0],
      checks: NAMES.map((name) => ({
        name,
        status: 'failed',
        ms: 1,
        code: name,
        detail: name,
        remediation: name,
        data: { [name]: name },
      })),
    },
  ],
]

test.skipIf(browser)(`the browser cannot start here${reason ? `: ${reason}` : ''}`, () => undefined)

describe.skipIf(!browser)('names that mean harm are shown as text', () => {
  let opened: OpenPage
  beforeAll(async () => {
    opened = await openPage(browser!, 'http://page.test')
    // Without the content policy, which would hide that something got in.
    await servePage(
      opened.page,
      (path) => ANSWERS.find(([pattern]) => pattern.test(path))?.[1] ?? new Refusal(404, { code: NAMES[0], detail: NAMES[5] }),
    )
  })
  afterAll(() => browser?.close())

  test('there are enough of them', () => expect(new Set(NAMES).size).toBeGreaterThan(60))

  /** Which of the names stand nowhere in the page as text or as the value of a field. */
  const missing = (page: Page): Promise<string[]> =>
    page.evaluate<string[]>(`((names) => {
      const values = [...document.querySelectorAll('input, textarea, [aria-label]')].map((e) => (e.value ?? '') + (e.getAttribute('aria-label') ?? ''))
      const text = document.body.textContent + values.join(' ')
      return names.filter((name) => !text.includes(name) && !text.includes(JSON.stringify(name).slice(1, -1)))
    })(${JSON.stringify(NAMES)})`)
  const harm = (page: Page): Promise<unknown> =>
    page.evaluate(`[document.querySelectorAll('[data-hostile], iframe, script:not([src]), style').length, typeof hurt]`)

  const VIEWS: readonly (readonly [name: string, hash: string, ready: string, act?: (page: Page) => Promise<void>])[] = [
    ['jobs', '#/jobs', 'table.list tbody tr'],
    ['errors of a job', `#/jobs/${ID}?tab=errors`, '.group'],
    ['tasks', `#/jobs/${ID}?tab=tasks`, 'section table.list tbody tr'],
    [
      'a task',
      `#/jobs/${ID}?tab=tasks&show=failed`,
      'section table button',
      (page) => page.locator('section table button').first().click(),
    ],
    ['events', `#/jobs/${ID}?tab=events`, '.events li'],
    ['result', `#/jobs/${ID}?tab=result`, 'section .json'],
    ['job types', '#/submit', '.cards .card'],
    ['containers', '#/containers', 'table.list tbody tr'],
    ['blobs', '#/containers/c', 'table.list tbody tr'],
    ['a blob', `#/containers/c?blob=${encodeURIComponent(NAMES[0] ?? '')}`, 'details', (page) => page.locator('summary').click()],
    ['inventory', '#/containers/c?tab=inventory', '.treemap'],
    ['map', '#/map', '.items li'],
    ['schedules', '#/schedules', 'table.list tbody tr'],
    ['runs of a schedule', '#/schedules/s', 'table.list tbody tr'],
    ['webhooks', '#/webhooks', 'table.list tbody tr'],
    ['messages of a webhook', '#/webhooks/w', 'table.list tbody tr'],
    ['poison', '#/poison', 'table.list tbody tr'],
    ['health', '#/health', '.checks li'],
  ]

  test.each(VIEWS.map(([name, ...view]) => [name, view] as const))('%s', async (_, [hash, ready, act]) => {
    const { page, go } = opened
    await go(hash)
    await page.locator(ready).first().waitFor()
    await act?.(page)
    await expect.poll(() => missing(page)).toEqual([])
    expect(await harm(page)).toEqual([0, 'undefined'])
  })

  test('a form, and the name over an outline of the map', async () => {
    const { page, go } = opened
    for (const name of NAMES) {
      await go(`#/submit/${encodeURIComponent(name)}`)
      await page.locator('.field').first().waitFor()
      expect([name, await page.locator('h1').textContent()]).toEqual([name, name])
    }
    await go('#/map')
    await page.locator('.footprint').first().dispatchEvent('mouseover')
    await expect.poll(() => page.locator('.leaflet-tooltip').textContent()).toBe(NAMES[0])
    expect(await harm(page)).toEqual([0, 'undefined'])
  })
})
