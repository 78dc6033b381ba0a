// `npm run build`: the deployable app in dist/app.
import { buildApp } from '../local/build-app.ts'

const { inputs, outputs } = await buildApp()
const kilobytes = Math.round((outputs['dist/app/main.js']?.bytes ?? 0) / 1024)
console.log(`dist/app/main.js: ${kilobytes} KB from ${Object.keys(inputs).length} files`)
