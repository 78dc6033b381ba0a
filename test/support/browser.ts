// A real browser for tests of the monitor page: Chromium from npm, on the page that the built app serves.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import type { AxeResults } from 'axe-core'
import chromium from '@sparticuz/chromium'
import { type Browser, chromium as playwright, type Page } from 'playwright-core'

/** Without those of the package that make one process of all and take the browser's own protection away. */
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--font-render-hinting=none']

/** The browser, or why this machine cannot run it (a library that is missing, another processor). */
export async function startBrowser(): Promise<{ browser?: Browser; reason?: string }> {
  try {
    return { browser: await playwright.launch({ executablePath: await chromium.executablePath(), args: ARGUMENTS }) }
  } catch (error) {
    return { reason: (error instanceof Error ? error.message : String(error)).split('\n').slice(0, 2).join(' ') }
  }
}

export interface Look {
  readonly theme?: 'light' | 'dark'
  readonly width?: number
  readonly height?: number
}

export interface OpenPage {
  readonly page: Page
  /** What the browser complained of: errors of scripts, of the console, of the content policy. */
  readonly problems: string[]
  /** Requests of data, by path and query below `/api/`. */
  readonly asked: string[]
  /** Bytes of bodies as they travelled, of everything. */
  transferred(): Promise<number>
  /** Goes to an address of the page, e.g. `#/jobs`. */
  go(hash: string): Promise<void>
}

/** A page in a window of its own: nothing is remembered from others. */
export async function openPage(
  browser: Browser,
  url: string,
  { theme = 'light', width = 1280, height = 800 }: Look = {},
): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, reducedMotion: 'reduce' })
  context.setDefaultTimeout(20_000)
  const page = await context.newPage()
  const problems: string[] = []
  const asked: string[] = []
  const sizes: Promise<number>[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    // A refusal that a test provokes is told by the browser too; the page shows it.
    if (message.type() === 'error' && !/the server responded with a status of 4\d\d/.test(message.text()))
      problems.push(message.text())
  })
  page.on('request', (request) => {
    const path = /\/api\/(.*)$/.exec(request.url())?.[1] ?? ''
    if (!/^monitor($|\/assets\/)/.test(path)) asked.push(path)
  })
  page.on('requestfinished', (request) => {
    // What was on its way when the page was closed has no size.
    const size = request.sizes().then((s) => s.responseBodySize + s.responseHeadersSize)
    sizes.push(size.catch(() => 0))
  })
  return {
    page,
    problems,
    asked,
    transferred: async () => (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0),
    go: async (hash) => void (await page.goto(`${url}/api/monitor${hash}`)),
  }
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
}

/** An answer of the API that is no success. */
export class Refusal {
  readonly status: number
  readonly problem: object
  constructor(status: number, problem: object) {
    this.status = status
    this.problem = problem
  }
}

/** The built files of the page without an app, and made-up answers by the path and query below `/api/`. */
export function servePage(
  page: Page,
  answer: (path: string, headers: Readonly<Record<string, string>>) => unknown,
): Promise<unknown> {
  return page.route('**/api/**', (call) => {
    const path = call.request().url().split('/api/')[1] ?? ''
    const [isFile, asset = 'index.html'] = /^monitor(?:\/assets\/([\w.-]+))?$/.exec(path) ?? []
    if (isFile !== undefined)
      return call.fulfill({ contentType: TYPES[extname(asset)] ?? '', body: readFileSync(`dist/app/web/${asset}`) })
    const body = answer(path, call.request().headers())
    return call.fulfill(body instanceof Refusal ? { status: body.status, json: body.problem } : { json: body })
  })
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/**
 * What axe finds against WCAG 2.2 A and AA and its own good practices: rule and element of each violation.
 * @param rules only these
 */
export async function accessibilityProblems(page: Page, rules?: readonly string[]): Promise<string[]> {
  // Once for a page: half a megabyte to parse.
  if (!(await page.evaluate<boolean>(`'axe' in globalThis`))) await page.evaluate(AXE)
  const { violations } = await page.evaluate<AxeResults>(`axe.run(${JSON.stringify(rules ? { runOnly: rules } : {})})`)
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html.slice(0, 200)} ${node.failureSummary ?? ''}`),
  )
}

/** Name, address and what is waited for. */
export type View = readonly [name: string, hash: string, ready: string]

/**
 * What is wrong with how views look: accessibility, and content that is wider than the window.
 * @param rules only these of axe
 */
export async function viewProblems({ page, go }: OpenPage, views: readonly View[], rules?: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const [name, hash, ready] of views) {
    await go(hash)
    await page.locator(ready).first().waitFor()
    found.push(...(await accessibilityProblems(page, rules)).map((problem) => `${name}: ${problem}`))
    const [content, window] = await page.evaluate<[number, number]>('[document.documentElement.scrollWidth, innerWidth]')
    if (content > window) found.push(`${name}: ${content} px in a window of ${window}`)
  }
  return found
}

/** What has the focus is called: by its label, or by its own text. */
export const FOCUSED = `(({ labels, textContent }) => (labels?.[0]?.querySelector('code') ?? { textContent }).textContent.trim())(document.activeElement)`

/** Presses Tab until what has the focus is called so. */
export async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    if ((await page.evaluate<string>(FOCUSED)) === name) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`60 times Tab did not lead to ${name}`)
}
