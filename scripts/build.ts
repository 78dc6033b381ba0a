// `npm run build`: the complete deployable folder dist/app. DURABLE_BACKEND=azureManaged writes that backend into its host.json.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { buildApp, filesOf } from '../local/build-app.ts'
import { buildPage } from '../local/build-page.ts'
import { packageApp } from '../local/package-app.ts'
import { bundleTelemetry, type Manifest } from '../local/telemetry-bundle.ts'

/** A pipeline names its commit; a checkout knows it; an unpacked archive has none. */
function commit(): string | null {
  const named = process.env['GITHUB_SHA'] ?? process.env['BUILD_SOURCEVERSION']
  const { status, stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' })
  return named ?? (status === 0 ? stdout.trim() : null)
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest & { version: string }
const { version } = manifest
const metafile = await buildApp('dist/app', { backend: process.env['DURABLE_BACKEND'], release: { version, commit: commit() } })
const { inputs, outputs } = metafile
const page = await buildPage('dist/app/web')
const { packages, warnings } = await packageApp('dist/app', filesOf(metafile))
const telemetry = await bundleTelemetry('dist/app', manifest)
const kilobytes = Math.round((outputs['dist/app/main.js']?.bytes ?? 0) / 1024)
console.log(`dist/app/main.js: ${kilobytes} KB from ${Object.keys(inputs).length} files`)
console.log(
  `dist/app/web: the monitor page, ${Object.values(page.outputs).reduce((sum, { bytes }) => sum + Math.round(bytes / 1024), 0)} KB in ${page.files.length} files`,
)
if (packages.length > 0) console.log(`dist/app/node_modules: ${packages.join(', ')}`)
if (telemetry.files.length > 0) console.log(`dist/app: ${telemetry.files.join(', ')}`)
for (const line of [...warnings, ...telemetry.warnings]) console.error(line)
