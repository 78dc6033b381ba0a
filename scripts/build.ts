// `npm run build`: the complete deployable folder dist/app. DURABLE_BACKEND=azureManaged writes that backend into its host.json.
import { buildApp, filesOf } from '../local/build-app.ts'
import { packageApp } from '../local/package-app.ts'

const metafile = await buildApp('dist/app', process.env['DURABLE_BACKEND'])
const { inputs, outputs } = metafile
const { packages, warnings } = await packageApp('dist/app', filesOf(metafile))
const kilobytes = Math.round((outputs['dist/app/main.js']?.bytes ?? 0) / 1024)
console.log(`dist/app/main.js: ${kilobytes} KB from ${Object.keys(inputs).length} files`)
if (packages.length > 0) console.log(`dist/app/node_modules: ${packages.join(', ')}`)
for (const line of warnings) console.error(line)
