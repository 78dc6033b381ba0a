// Schedules and webhooks of the monitor page in a browser, on the real local cloud with a receiver of our own.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { type Look, openPage, type OpenPage, startBrowser, tabTo, viewProblems } from '../support/browser.ts'

const { browser, reason } = await startBrowser()
const DAILY = { job_type: 'hello_world', parameters: { n: 1, name: 'on {date}' }, cron: '30 2 * * *', time_zone: 'Europe/Berlin' }

test.skipIf(browser)(`the browser cannot start here${reason ? `: ${reason}` : ''}`, () => undefined)

describe.skipIf(!browser)('schedules and webhooks on the page', () => {
  let app: TestApp
  let receiver: Server
  let address: string
  let answer = 200
  const opened: OpenPage[] = []
  const open = async (hash: string, look: Look = {}): Promise<Page> => {
    const page = await openPage(browser!, app.host.url, look)
    opened.push(page)
    await page.go(hash)
    return page.page
  }
  /** The timer of the reconciler, now. */
  const tick = (): Promise<unknown> =>
    fetch(`${app.host.url}/admin/functions/reconcileJobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    })

  beforeAll(async () => {
    receiver = createServer((request, response) => {
      request.resume()
      request.on('end', () => response.writeHead(answer, { location: 'http://127.0.0.1:1/' }).end())
    })
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
    address = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`
    app = await startApp({ env: { WEBHOOK_HOSTS: '127.0.0.1', WEBHOOK_PRIVATE_ADDRESSES: 'true', HOOK_KEY: 'of the hook' } })
  })
  afterAll(async () => {
    await browser?.close()
    await app?.stop()
    receiver.close()
  })
  afterEach(async () => {
    const problems = opened.flatMap((o) => o.problems)
    await Promise.all(opened.splice(0).map((o) => o.page.context().close()))
    expect(problems).toEqual([])
  })

  const rows = (page: Page, table: string): Locator => page.getByRole('region', { name: table }).locator('tbody tr')
  const field = (page: Page, name: string): Locator =>
    page
      .locator('.field')
      .filter({ has: page.locator('label > code').getByText(name, { exact: true }) })
      .locator(':is(input, select, textarea)')
  const press = (page: Page, name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click()
  /** Gives the order that a button asks about. */
  async function confirm(page: Page, name: string): Promise<void> {
    await press(page, name)
    await page.getByRole('dialog').getByRole('button', { name, exact: true }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  }
  /** Loads again until it is there. */
  const reloadUntil = (page: Page, read: () => Promise<string | null>): ReturnType<typeof expect.poll<Promise<string | null>>> =>
    expect.poll(async () => {
      await press(page, 'Load again now')
      return read()
    })

  test('a schedule is made by its form, its run is told, it is paused, changed, resumed and deleted', async () => {
    const page = await open('#/schedules')
    await page.getByRole('link', { name: 'New schedule' }).click()
    await field(page, 'schedule_id').fill('nightly')
    await field(page, 'cron').fill('0 0 31 2 *')
    await field(page, 'time_zone').fill('Europe/Berlin')
    await field(page, 'job_type').selectOption('hello_world')
    await field(page, 'parameters.name').fill('on {date}')
    await press(page, 'Make the schedule')
    await expect.poll(() => page.locator('.field.wrong').textContent()).toContain('cron has no due time in the future')
    await field(page, 'cron').fill('30 2 * * *')
    await field(page, 'parameters.n').fill('-1')
    await press(page, 'Make the schedule')
    await expect.poll(() => page.locator('.field.wrong').textContent()).toContain('parameters.n')
    await field(page, 'parameters.n').fill('2')
    await press(page, 'Make the schedule')
    await page.getByRole('heading', { name: 'nightly' }).waitFor()
    expect(await page.locator('.next-runs li').count()).toBe(5)
    expect((await app.get('/api/schedules/nightly')).body).toMatchObject({
      ...DAILY,
      parameters: { n: 2, name: 'on {date}' },
      missed: 'skip',
    })

    await app.database.pool.query(
      `UPDATE app.schedules SET next_due_at = date_trunc('minute', now()) WHERE schedule_id = 'nightly'`,
    )
    await tick()
    await reloadUntil(page, () => page.getByRole('main').textContent()).toMatch(/submitted/)
    expect(await rows(page, 'Table of runs').count()).toBe(1)
    const job = await rows(page, 'Table of runs').getByRole('link').getAttribute('href')
    expect((await app.waitForJob(job?.split('/')[2] ?? '')).result).toMatchObject({ greetings: 2 })

    await confirm(page, 'Pause')
    await page.getByText('None while it is paused.').waitFor()
    await page.getByRole('link', { name: 'Edit' }).click()
    expect(await field(page, 'parameters.n').inputValue()).toBe('2')
    await field(page, 'parameters.n').fill('3')
    await press(page, 'Save the schedule')
    await page.getByRole('region', { name: 'Parameters' }).getByText('"n": 3').waitFor()
    expect((await app.get('/api/schedules/nightly')).body).toMatchObject({ is_paused: true, parameters: { n: 3 } })
    await confirm(page, 'Resume')
    await expect.poll(() => page.locator('.next-runs li').count()).toBe(5)
    await page.getByRole('link', { name: 'Schedules', exact: true }).first().click()
    await expect.poll(() => rows(page, 'Table of schedules').textContent()).toMatch(/nightly.*active.*Europe\/Berlin.*submitted/)
    await page.getByRole('link', { name: 'nightly' }).click()
    await confirm(page, 'Delete')
    await page.getByText('No schedules yet.').waitFor()
    expect((await app.get('/api/schedules/nightly')).status).toBe(404)
  })

  test('a webhook: a host that is not allowed is refused with the words of the server; messages, tries, dead ones sent again', async () => {
    const page = await open('#/webhooks?new=1')
    await field(page, 'webhook_id').fill('team')
    await field(page, 'url').fill('https://elsewhere.example/hook')
    await field(page, 'secret_name').fill('no-such')
    await press(page, 'Make the webhook')
    await expect.poll(() => page.locator('.field.wrong').textContent()).toContain('WEBHOOK_HOSTS')
    await field(page, 'url').fill(address)
    await press(page, 'Make the webhook')
    await page.getByRole('alert').getByText('SECRET_NOT_FOUND').waitFor()
    await field(page, 'secret_name').fill('hook-key')
    await page.getByLabel('cancelled').uncheck()
    await press(page, 'Make the webhook')
    await page.getByText('Nothing was to be told yet.').waitFor()
    expect((await app.get('/api/webhooks/team')).body).toMatchObject({
      url: address,
      job_type: null,
      statuses: ['completed', 'completed_with_errors', 'failed'],
    })
    expect(await page.content()).not.toContain('of the hook')

    answer = 302
    const { job_id } = await app.submit('hello_world', { n: 1, name: 'elsewhere' })
    await app.waitForJob(job_id)
    await tick()
    const table = (): Promise<string | null> => page.getByRole('main').textContent()
    await reloadUntil(page, table).toMatch(/attempt 1pending1.*in .*302It answered 302/)
    await app.database.pool.query(`UPDATE app.webhook_deliveries SET status = 'dead' WHERE job_id = $1`, [job_id])
    await page.getByRole('combobox', { name: 'Status' }).selectOption('dead')
    await rows(page, 'Table of messages').getByText('dead').waitFor()
    answer = 200
    await confirm(page, 'Send again')
    await page.getByText('No message is in this state.').waitFor()
    await tick()
    await page.getByRole('combobox', { name: 'Status' }).selectOption('delivered')
    await reloadUntil(page, table).toContain(job_id.slice(0, 8))
    await page.goto(`${app.host.url}/api/monitor#/webhooks/team`)
    await confirm(page, 'Pause')
    await page.locator('.heading .status', { hasText: 'paused' }).waitFor()
    await confirm(page, 'Delete')
    await page.getByText('No webhooks yet.').waitFor()
  })

  test('without a mouse: a name that is taken is refused, a dialog gives the keyboard back', async () => {
    await app.send('PUT', '/api/schedules/taken', DAILY)
    const page = await open('#/schedules')
    await rows(page, 'Table of schedules').first().waitFor()
    await tabTo(page, 'New schedule')
    await page.keyboard.press('Enter')
    await field(page, 'schedule_id').waitFor()
    await tabTo(page, 'schedule_id')
    await page.keyboard.type('taken')
    await tabTo(page, 'cron')
    await page.keyboard.type('0 3 * * 1')
    await tabTo(page, 'job_type')
    await page.keyboard.type('hello')
    await page.keyboard.press('Enter')
    await field(page, 'parameters.n').waitFor()
    await tabTo(page, 'Make the schedule')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.locator('.field.wrong').textContent()).toContain('schedule_id is taken')
    expect((await app.get('/api/schedules/taken')).body.cron).toBe(DAILY.cron)
    await page.goto(`${app.host.url}/api/monitor#/schedules/taken`)
    await page.getByRole('button', { name: 'Delete' }).waitFor()
    await tabTo(page, 'Delete')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await page.evaluate<string>('document.activeElement.textContent')).toBe('Delete')
  })

  test.each([
    ['light', { theme: 'light' }, undefined],
    ['dark', { theme: 'dark' }, ['color-contrast']],
    ['phone', { theme: 'light', width: 360, height: 740 }, ['scrollable-region-focusable', 'target-size']],
  ] as const)('%s: no view has an accessibility problem or is wider than the window', async (_, look, rules) => {
    await app.send('PUT', '/api/schedules/daily', DAILY)
    await app.send('PUT', '/api/webhooks/told', { url: address, secret_name: 'hook-key' })
    await app.database.pool.query(
      `INSERT INTO app.schedule_runs (schedule_id, due_at, status, error_code, error_details)
       VALUES ('daily', '2026-01-02', 'refused', 'INVALID_PARAMETERS', $1) ON CONFLICT DO NOTHING`,
      ['n must be one of those that are allowed. '.repeat(3)],
    )
    await app.database.pool.query(
      `INSERT INTO app.webhook_deliveries (webhook_id, job_id, attempt, status, payload, tries, answered, error)
       SELECT 'told', lpad(i::text, 64, '0'), 1, (ARRAY['pending', 'delivered', 'dead'])[i], '{}', 3, 503, 'It answered 503.'
       FROM generate_series(1, 3) i ON CONFLICT DO NOTHING`,
    )
    await open('#/schedules', look)
    const views = [
      ['schedules', '#/schedules', 'table.list tbody tr'],
      ['schedule', '#/schedules/daily', 'table.list tbody tr'],
      ['schedule form', '#/schedules/daily?edit=1', '.field'],
      ['webhooks', '#/webhooks', 'table.list tbody tr'],
      ['webhook', '#/webhooks/told', 'table.list tbody tr'],
      ['webhook form', '#/webhooks?new=1', '.field'],
    ] as const
    expect(await viewProblems(opened[0]!, views, rules)).toEqual([])
  })
})
