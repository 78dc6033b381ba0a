// The monitor page in a browser, on the real local cloud with real jobs.
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import type { ContainerClient } from '@azure/storage-blob'
import type { Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import {
  accessibilityProblems,
  FOCUSED,
  type Look,
  openPage,
  type OpenPage,
  startBrowser,
  tabTo,
  viewProblems,
} from '../support/browser.ts'
import { makeTiff, someSamples } from '../support/tiff-maker.ts'

const { browser, reason } = await startBrowser()
const tiff = (size: number): Uint8Array =>
  makeTiff({ width: size, height: size, bands: 1, dtype: 'uint8', samples: someSamples('uint8', size, size, 1), epsg: 32_633 })

test.skipIf(browser)(
  `the browser cannot start here, so that nothing of the page is tested${reason ? `: ${reason}` : ''}`,
  () => undefined,
)

describe.skipIf(!browser)('the monitor page', () => {
  let app: TestApp
  let container: ContainerClient
  let raster: string
  let mixed: string
  const opened: OpenPage[] = []
  const open = async (hash: string, look: Look = {}): Promise<OpenPage> => {
    const page = await openPage(browser!, app.host.url, look)
    opened.push(page)
    await page.go(hash)
    return page
  }

  beforeAll(async () => {
    app = await startApp()
    container = await app.container()
    const put = (name: string, bytes: Uint8Array): Promise<unknown> => container.getBlockBlobClient(name).uploadData(bytes)
    await Promise.all([
      put('scenes/a.tif', tiff(600)),
      put('scenes/b.tif', new Uint8Array(40)),
      put('notes.txt', new Uint8Array(9)),
    ])
    const job = { source_container: container.containerName, source_blob: 'scenes/a.tif', tile_size: 256 }
    const submitted = await Promise.all([
      app.submit('process_raster', job),
      app.submit('process_container', { container_name: container.containerName, target_prefix: 'all/' }),
      app.submit('inventory_container', { container_name: container.containerName }),
      app.submit('hello_world', { n: 250, name: 'Ada' }),
    ])
    const ended = await Promise.all(submitted.map((s) => app.waitForJob(s.job_id)))
    expect(ended.map((j) => j.status)).toEqual(['completed', 'completed_with_errors', 'completed', 'completed'])
    ;[raster, mixed] = submitted.map((s) => s.job_id) as [string, string]
  })
  afterAll(async () => {
    await browser?.close()
    await app?.stop()
  })
  afterEach(async () => {
    const problems = opened.flatMap((o) => o.problems)
    await Promise.all(opened.splice(0).map((o) => o.page.context().close()))
    expect(problems).toEqual([])
  })

  const rows = (page: Page): Locator => page.locator('table.list tbody tr')
  const choice = (page: Page, name: string): Locator => page.getByRole('combobox', { name })
  const button = (page: Page, name: string | RegExp): Locator =>
    page.getByRole('button', { name, exact: typeof name === 'string' })
  /** Fills in the reason of the open dialog and gives the order. */
  async function confirm(page: Page, label: string): Promise<string> {
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Reason').fill('told by a test')
    await dialog.getByRole('button', { name: label }).click()
    return (await dialog.getByRole('status').textContent()) ?? ''
  }

  test('jobs are narrowed by the filter; the address keeps it, Back takes it away', async () => {
    const { page } = await open('#/jobs')
    await rows(page).nth(3).waitFor()
    await choice(page, 'Status').selectOption('completed_with_errors')
    await expect.poll(() => rows(page).count()).toBe(1)
    expect(page.url()).toContain('status=completed_with_errors')
    await page.getByRole('searchbox', { name: 'Text' }).fill('nothing has this text')
    await page.getByText('No job fits.').waitFor()
    await page.goBack()
    await expect.poll(() => rows(page).count()).toBe(4)
    await page.goForward()
    await page.getByRole('link', { name: 'Clear all', exact: true }).click()
    await expect.poll(() => rows(page).count()).toBe(4)
  })

  test('a search that has not looked through every job says so, and goes on', async () => {
    const { page } = await open('#/jobs')
    await rows(page).nth(3).waitFor()
    await page.route(/monitor\/jobs\?.*text=deep/, async (call) => {
      const answer = await call.fetch()
      const body = (await answer.json()) as object
      const isFirst = !call.request().url().includes('next=')
      await (isFirst
        ? call.fulfill({ response: answer, json: { ...body, next: 'behind' } })
        : call.fulfill({ response: await call.fetch({ url: `${app.host.url}/api/monitor/jobs?limit=50` }) }))
    })
    await page.getByRole('searchbox', { name: 'Text' }).fill('deep')
    await page.getByText('No job that was looked through has this text.').waitFor()
    await page.getByRole('link', { name: 'Older jobs' }).click()
    await rows(page).nth(3).waitFor()
    expect(page.url()).toContain('next=behind')
  })

  test('columns and refresh are remembered; the key is not among what is', async () => {
    const { page } = await open('#/jobs')
    await button(page, /^Columns/)
      .or(page.getByText('Columns', { exact: true }))
      .first()
      .click()
    await page.getByLabel('Submitted by').uncheck()
    await choice(page, 'Refresh').selectOption('30')
    await page.reload()
    await rows(page).first().waitFor()
    expect(await page.locator('thead').textContent()).not.toContain('Submitted by')
    expect(await choice(page, 'Refresh').inputValue()).toBe('30')
  })

  test('one request a refresh, and none while the tab is hidden', async () => {
    const opened = await openPage(browser!, app.host.url)
    const { page, asked } = opened
    await page.clock.install()
    await opened.go('#/jobs')
    await rows(page).first().waitFor()
    const refreshes = (): number => asked.filter((path) => path.startsWith('monitor/jobs')).length
    const before = asked.length
    for (let turn = 1; turn <= 3; turn++) {
      const answered = page.waitForResponse(/monitor\/jobs/)
      await page.clock.runFor(5000)
      await answered
      await expect.poll(() => page.getByRole('main').textContent()).toContain('as of')
    }
    expect(asked.length - before).toBe(3)
    await page.evaluate(
      "Object.defineProperty(document, 'hidden', { value: true }); document.dispatchEvent(new Event('visibilitychange'))",
    )
    const shown = refreshes()
    await page.clock.runFor(120_000)
    expect(refreshes()).toBe(shown)
    await page.context().close()
  })

  test('a job shows its stages, a task its lineage and its blobs', async () => {
    const { page } = await open(`#/jobs/${raster}`)
    const lanes = page.getByRole('region', { name: 'Stages' })
    await lanes.getByText('create_cog_tiles').waitFor()
    expect(await lanes.locator('tbody tr').count()).toBe(4)
    expect(await page.getByText('Durable instance').locator('xpath=..').textContent()).toContain('Completed')
    await choice(page, 'Stage').selectOption('3')
    await expect.poll(() => page.getByRole('region', { name: 'Table of tasks' }).locator('tbody tr').count()).toBe(1)
    await page.getByRole('region', { name: 'Table of tasks' }).getByRole('button').first().click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('plan_tiles').waitFor()
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    await choice(page, 'Stage').selectOption({ index: 0 })
    await choice(page, 'Show').selectOption('slow')
    await expect.poll(() => page.getByRole('region', { name: 'Table of tasks' }).locator('tbody tr').count()).toBe(4)
    await page.getByRole('link', { name: 'Events' }).click()
    await page.getByText('job.finished').waitFor()
  })

  test('what failed is told by its code, and runs again when its cause is mended', async () => {
    const { page } = await open(`#/jobs/${mixed}`)
    await page.getByText('scenes/b.tif').first().waitFor()
    await container.getBlockBlobClient('scenes/b.tif').uploadData(tiff(64))
    await button(page, 'Retry these').click()
    expect(await confirm(page, 'Retry failed')).toMatch(/attempt 2, 1 task runs again/)
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click()
    expect((await app.waitForJob(mixed)).status).toBe('completed')
    await page.getByRole('heading', { name: 'process_container' }).waitFor()
    await expect.poll(() => page.locator('.heading .status').first().textContent()).toBe('completed')
    await page.getByRole('link', { name: 'Events' }).click()
    await page.getByText('reason: told by a test').first().waitFor()
  })

  test('a job is paused by hand, and all paused ones are cancelled after a dry run', async () => {
    const { job_id } = await app.submit('hello_world', { n: 90_000, name: 'Long' })
    const { page } = await open(`#/jobs/${job_id}`)
    await button(page, 'Pause').click()
    expect(await confirm(page, 'Pause')).toMatch(/The job is paused/)
    await page.goto(`${app.host.url}/api/monitor#/jobs?status=paused`)
    await button(page, 'Act on all of these …').click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('radio', { name: /^Cancel/ }).check()
    expect(await confirm(page, 'Show what would change')).toContain('1 job would change')
    expect((await app.get(`/api/jobs/${job_id}`)).body.status).toBe('paused')
    await dialog.getByRole('button', { name: 'cancel 1 job' }).click()
    await dialog.getByText('1 of 1 changed').waitFor()
    expect((await app.get(`/api/jobs/${job_id}`)).body.status).toBe('cancelled')
    await page.keyboard.press('Escape')
    await page.goto(`${app.host.url}/api/monitor#/jobs?status=cancelled`)
    await button(page, 'Act on all of these …').click()
    await dialog.getByRole('radio', { name: /^Purge/ }).check()
    expect(await confirm(page, 'Show what would change')).toContain('1 job would be removed for good')
    await dialog.getByRole('button', { name: 'purge 1 job' }).click()
    await dialog.getByText('1 of 1 removed').waitFor()
    expect((await app.get(`/api/jobs/${job_id}`)).status).toBe(404)
  })

  test('a refusal is shown in the words of the server', async () => {
    const { page } = await open(`#/jobs/${raster}`)
    await button(page, 'Run again').waitFor()
    await page.route('**/rerun', (call) => call.continue({ postData: JSON.stringify({ reason: 'x', more: 1 }) }))
    await button(page, 'Run again').click()
    await page.getByRole('dialog').getByLabel('Reason').fill('x')
    await page.getByRole('dialog').getByRole('button', { name: 'Run again' }).click()
    expect(await page.getByRole('alert').textContent()).toContain('unknown key')
    await page.goto(`${app.host.url}/api/monitor#/jobs/${'0'.repeat(64)}`)
    expect(await page.getByRole('alert').textContent()).toContain('JOB_NOT_FOUND')
  })

  test('a job is submitted by its form; what is wrong is said at its field', async () => {
    const { page } = await open('#/submit/hello_world')
    const field = page.getByLabel('n', { exact: true })
    await field.fill('0')
    await button(page, 'Submit hello_world').click()
    await expect.poll(() => field.getAttribute('aria-invalid')).toBe('true')
    expect(await page.locator('.field.wrong').textContent()).toContain('>=1')
    await field.fill('3')
    await button(page, 'Submit hello_world').click()
    await page.waitForURL(/#\/jobs\/[0-9a-f]{64}/)
    const id = /[0-9a-f]{64}/.exec(page.url())?.[0] ?? ''
    expect((await app.waitForJob(id)).result).toMatchObject({ greetings: 3 })
    await button(page, 'Purge').click()
    const dialog = page.getByRole('dialog')
    expect(await dialog.getByRole('button', { name: 'Purge' }).isDisabled()).toBe(true)
    await dialog.getByLabel('Reason').fill('told by a test')
    await dialog.getByRole('button', { name: 'Purge' }).click()
    await page.waitForURL(/#\/jobs$/)
    expect((await app.get(`/api/jobs/${id}`)).status).toBe(404)
  })

  test('from the first key press to a submitted job without a mouse', async () => {
    const { page } = await open('#/jobs')
    await rows(page).first().waitFor()
    await page.keyboard.press('Tab')
    expect(await page.evaluate<string>(FOCUSED)).toBe('Skip to content')
    await tabTo(page, 'Submit')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Submit a job' }).waitFor()
    await page.locator('.cards').waitFor()
    await tabTo(page, 'hello_world')
    await page.keyboard.press('Enter')
    await page.getByLabel('n', { exact: true }).waitFor()
    await tabTo(page, 'n')
    await page.keyboard.type('2')
    await page.keyboard.press('Enter')
    await page.waitForURL(/#\/jobs\/[0-9a-f]{64}/)
  })

  test('containers: a file is uploaded, a raster is seen, folders are compared', async () => {
    const { page } = await open('#/containers/silver?prefix=hand/')
    await page.setInputFiles('input[type=file]', { name: 'ä & <b>.tif', mimeType: 'image/tiff', buffer: Buffer.from(tiff(64)) })
    await page
      .getByText('uploaded, 4')
      .or(page.getByText(/: uploaded/))
      .first()
      .waitFor()
    await page.getByRole('link', { name: 'ä & <b>.tif' }).click()
    await expect.poll(() => page.getByRole('img', { name: /^Preview of/ }).getAttribute('width')).toBe('64')
    expect(await page.getByText('64 × 64 pixels').textContent()).toContain('EPSG:32633')
    await page.goto(`${app.host.url}/api/monitor#/containers/${container.containerName}?tab=inventory`)
    await page.getByRole('img', { name: /Bytes by folder: .*scenes/ }).waitFor()
    await page.getByText('Type distribution', { exact: false }).waitFor()
  })

  test('growth: two inventories are chosen and compared, bars tell what came, changed and went', async () => {
    const grown = await app.container()
    const put = (name: string, size: number): Promise<unknown> => grown.getBlockBlobClient(name).uploadData(new Uint8Array(size))
    const inventory = async (query = ''): Promise<void> =>
      void (await app.waitForJob(
        (await app.submit('inventory_container', { container_name: grown.containerName }, query)).job_id,
      ))
    await Promise.all([put('old/a.csv', 2048), put('old/b.csv', 1024), put('c.tif', 1024)])
    await inventory()
    await Promise.all([put('new/d.tif', 8192), put('old/b.csv', 3072), grown.getBlockBlobClient('old/a.csv').delete()])
    await inventory('?force=true')
    const { page } = await open(`#/containers/${grown.containerName}?tab=inventory`)
    await button(page, 'Compare').click()
    const growth = page.getByRole('region', { name: 'Growth' })
    await growth.getByText('1 added, 1 changed, 1 removed, 1 as before').waitFor()
    const chart = (title: string): Promise<string | null> =>
      growth.locator('figure', { hasText: title }).locator('tbody').textContent()
    expect(await chart('Files by extension')).toBe('csv~1 −1tif+1')
    expect(await chart('Bytes by extension')).toBe('tif+8.0 KiBcsv~+2.0 KiB −2.0 KiB')
    expect(await chart('Files by folder')).toBe('old/~1 −1new/+1')
    expect(await accessibilityProblems(page)).toEqual([])
    // The address holds the comparison: it can be sent to somebody.
    await page.reload()
    await growth.getByText('1 added, 1 changed').waitFor()
    expect(page.url()).toMatch(/compared=[0-9a-f]{64}/)
    if (process.env['SCREENSHOTS']) await page.screenshot({ path: `${process.env['SCREENSHOTS']}/growth.png`, fullPage: true })
  })

  test('the map shows items of a job, their document and raster, and the tiles of its tasks', async () => {
    const { page, asked } = await open(`#/map?job=${raster}`)
    await page.locator('path.land').first().waitFor({ state: 'attached' })
    await expect.poll(() => page.locator('path.footprint').count()).toBeGreaterThan(0)
    await page
      .locator('.items')
      .getByRole('button', { name: /analysis/ })
      .first()
      .click()
    await page.getByRole('region', { name: 'The item as JSON' }).getByText(raster).waitFor()
    await button(page, 'Raster on the map').click()
    await expect.poll(() => asked.some((path) => /^rasters\/silver\/tiles\/\d+\/\d+\/\d+\//.test(path))).toBe(true)
    await page.goto(`${app.host.url}/api/monitor#/map?tiles=${raster}`)
    await page.reload()
    await page.locator('.panel tbody tr').first().waitFor()
    expect(await page.locator('.panel tbody').textContent()).toMatch(/^completed\d+$/)
  })

  test('poison and health', async () => {
    const { page } = await open('#/poison')
    await page.getByText('No poisoned tasks.').waitFor()
    await page.getByRole('link', { name: 'Health' }).click()
    await page.getByText('storage.write.silver').waitFor()
  })

  const VIEWS = (): readonly (readonly [name: string, hash: string, ready: string])[] => [
    ['jobs', '#/jobs', 'table.list tbody tr'],
    ['job', `#/jobs/${raster}`, 'section table.list tbody tr'],
    ['result', `#/jobs/${raster}?tab=result`, '.chart'],
    ['submit', '#/submit', '.cards .card'],
    ['form', '#/submit/process_raster', '.field'],
    ['container', `#/containers/${container.containerName}`, 'table.list tbody tr'],
    ['inventory', `#/containers/${container.containerName}?tab=inventory`, '.treemap'],
    ['map', '#/map', '.items li'],
    ['poison', '#/poison', '.empty'],
    ['health', '#/health', '.checks li'],
  ]

  // Each rule where its answer can differ: the others see the same elements in every look.
  test.each([
    ['light', { theme: 'light' }, undefined],
    ['dark', { theme: 'dark' }, ['color-contrast']],
    ['phone', { theme: 'light', width: 360, height: 740 }, ['scrollable-region-focusable', 'target-size']],
  ] as const)('%s: no view has an accessibility problem or is wider than the window', async (_, look, rules) => {
    const opened = await open('#/jobs', look)
    expect(await viewProblems(opened, VIEWS(), rules)).toEqual([])
  })

  test('the theme is switched by a button and stays', async () => {
    const { page } = await open('#/jobs', { theme: 'light' })
    const ground = (): Promise<string> => page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
    await rows(page).first().waitFor()
    const light = await ground()
    await button(page, /^Theme: system/).click()
    await button(page, /^Theme: light/).click()
    expect(await ground()).not.toBe(light)
    await page.reload()
    await rows(page).first().waitFor()
    expect(await ground()).not.toBe(light)
  })

  test('everything that a first visit loads, with the map, is less than 300 KB', async () => {
    const { page, go, transferred } = await open('#/jobs')
    await rows(page).first().waitFor()
    await go(`#/jobs/${raster}`)
    await page.locator('section table.list tbody tr').first().waitFor()
    await go('#/map')
    await page.locator('path.land').first().waitFor({ state: 'attached' })
    await page.locator('.items li').first().waitFor()
    expect(await transferred()).toBeLessThan(300_000)
  })

  test('the picture of the README is there and small; PICTURE=1 makes it anew', async () => {
    const file = 'docs/monitor.png'
    if (process.env['PICTURE']) {
      await app.submit('hello_world', { n: 90_000, name: 'Picture' })
      const { page } = await open('#/jobs', { width: 1200, height: 560 })
      await page.getByText('confidence').first().waitFor()
      writeFileSync(file, await page.screenshot())
    }
    expect(readFileSync(file).subarray(1, 4).toString()).toBe('PNG')
    expect(statSync(file).size).toBeLessThan(150_000)
  })
})
