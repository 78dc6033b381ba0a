// What is deployed runs alone: the built folder in a place of its own, with the packages that travel with it and no other.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packageApp, type Packaged } from '../../local/package-app.ts'
import { temporaryFolder } from '../../local/temporary-folder.ts'
import { bundleTelemetry } from '../../local/telemetry-bundle.ts'
import { TELEMETRY_PACKAGES, type TelemetryTarget } from '../../src/platform/telemetry-packages.ts'
import { startApp, type TestApp } from '../support/app.ts'

const FILES = [
  'main.js',
  'main.js.map',
  'raster-worker.js',
  'raster-worker.js.map',
  'host.json',
  'epsg.gen.json',
  'package.json',
  'web',
]
const folder = temporaryFolder('lamplighter-package-')
let packaged: Packaged
let app: TestApp
beforeAll(async () => {
  for (const name of FILES) cpSync(join('dist/app', name), join(folder, name), { recursive: true })
  cpSync('dist/app/package.json', join(folder, 'left-by-an-earlier-build.js'))
  packaged = await packageApp(folder, FILES)
  app = await startApp({ folder })
})
afterAll(async () => {
  await app.stop()
  rmSync(folder, { recursive: true })
})

test('the folder holds the app and nothing else', () => {
  const modules = packaged.packages.length > 0 ? ['node_modules'] : []
  expect(readdirSync(folder).sort()).toEqual([...FILES, ...modules, 'sql'].sort())
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as object
  expect(manifest).toMatchObject({ type: 'module', main: 'main.js' })
  expect(Object.keys(manifest)).not.toEqual(expect.arrayContaining(['scripts']))
  expect(Object.keys(manifest).filter((key) => /dependencies/i.test(key))).toEqual([])
})

test('the functions are those of the committed list: names, triggers, routes, methods, keys', async () => {
  const { body } = await app.get('/admin/functions')
  const rows = (body as { name: string; config: { bindings: Record<string, unknown>[] } }[]).map(({ name, config }) => {
    const trigger = config.bindings.find((b) => String(b['type']).endsWith('Trigger')) ?? {}
    const { type, route, methods, authLevel, schedule } = trigger
    return { name, type, route, methods, authLevel, schedule }
  })
  expect(new Set(rows.map((r) => r.name.toLowerCase())).size).toBe(rows.length)
  expect(rows.filter((r) => /^(admin|runtime)(\/|$)/i.test(JSON.stringify(r.route ?? '').slice(1)))).toEqual([])
  const list = rows.sort((a, b) => (a.name < b.name ? -1 : 1)).map((row) => JSON.stringify(row))
  await expect(`[\n${list.join(',\n')}\n]\n`).toMatchFileSnapshot('../fixtures/functions.json')
})

test('the monitor page and each file that it names come from the folder: kept for ever by their names, the page itself by nobody', async () => {
  const page = await app.get('/api/monitor')
  expect(page.headers.get('cache-control')).toBe('no-store')
  expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'self';/)
  const named = [...String(page.body).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path)
  expect(named.length).toBe(3)
  expect(page.body).not.toMatch(/<style|style=|<script[^>]*>[^<]/)
  for (const path of named) {
    const { status, headers } = await app.get(`/api/${path}`)
    expect([path, status, headers.get('cache-control')]).toEqual([path, 200, 'public, max-age=31536000, immutable'])
    expect([path, headers.get('content-type')]).toEqual([path, expect.stringMatching(/^(text\/(javascript|css)|image\/svg)/)])
  }
  for (const name of ['..%2Fpackage.json', '%2E%2E%2Fmain.js', 'nothing.js', 'package.json'])
    expect([name, (await app.get(`/api/monitor/assets/${name}`)).status]).toEqual([name, 404])
})

test('a job runs to its end', async () => {
  const { job_id } = await app.submit('hello_world', { n: 20, name: 'Package' })
  expect(await app.waitForJob(job_id)).toMatchObject({ status: 'completed', result: { greetings: 20, replies: 20 } })
})

test('answers carry the headers of host.json, once', async () => {
  const { headers } = await app.get('/api/health/live')
  expect([headers.get('x-content-type-options'), headers.get('referrer-policy')]).toEqual(['nosniff', 'no-referrer'])
})

test('packages with binaries load from the folder, or their absence is told', () => {
  const script = `const { createRequire } = await import('node:module')
    try {
      const sharp = (await import('sharp')).default
      const { data } = await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } }).jpeg().toBuffer({ resolveWithObject: true })
      console.log(createRequire(process.cwd() + '/main.js').resolve('sharp'), data.length > 100)
    } catch (error) { console.log(error.code) }`
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: folder, encoding: 'utf8' })
  if (packaged.packages.length > 0) expect(stdout.trim()).toMatch(new RegExp(`^${folder}/node_modules/sharp/\\S+ true$`))
  else
    expect([stdout.trim(), packaged.warnings[0]]).toEqual(['ERR_MODULE_NOT_FOUND', expect.stringContaining('CODEC_UNAVAILABLE')])
})

test('built where the binaries are another system’s, the package says what it will lack and what to do', async () => {
  const [modules, target] = [temporaryFolder('lamplighter-modules-'), temporaryFolder('lamplighter-target-')]
  expect((await packageApp(target, [], modules)).warnings).toEqual([
    expect.stringMatching(/sharp is not installed.*npm install sharp/),
  ])
  cpSync('dist/app/package.json', join(modules, 'sharp/package.json'), { recursive: true })
  const { packages, warnings } = await packageApp(target, [], modules)
  expect([packages, warnings]).toEqual([
    [],
    [expect.stringContaining('npm install --no-save --os=linux --cpu=x64 --libc=glibc sharp')],
  ])
  for (const made of [modules, target]) rmSync(made, { recursive: true })
})

const TARGETS = Object.keys(TELEMETRY_PACKAGES) as TelemetryTarget[]
test.each(TARGETS)('the exporter %s, where package.json names it, is one file that runs alone', async (name) => {
  const needed = TELEMETRY_PACKAGES[name]
  const missing = needed.filter((name) => !existsSync(join('node_modules', name)))
  const target = temporaryFolder('lamplighter-exporters-')
  const { files, warnings } = await bundleTelemetry(target, { dependencies: { [needed[0]]: '*' } })
  if (missing.length > 0) {
    // Nothing that is installed by default has it: the build says what to do.
    expect([files, warnings]).toEqual([[], [expect.stringContaining('npm install')]])
    return
  }
  expect([files, warnings]).toEqual([[`telemetry-${name}.js`], []])
  const script = `const { default: m } = await import('./telemetry-${name}.js')
    console.log(['BatchSpanProcessor', 'PeriodicExportingMetricReader', 'resourceFromAttributes'].every((n) => n in m), Object.keys(m).filter((n) => /^(AzureMonitor|OTLP)(Trace|Metric)Exporter$/.test(n)).length)`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: target, encoding: 'utf8' })
  expect([stdout.trim(), stderr]).toEqual(['true 2', ''])
  rmSync(target, { recursive: true })
})
