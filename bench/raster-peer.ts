// GDAL in WebAssembly does the same in a process of its own.
import { statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'

const require = createRequire(import.meta.url)
const [file = '', ...args] = process.argv.slice(2)
const entry = require.resolve('gdal3.js/node.js')
const init = require(entry) as (options: object) => Promise<Peer>
interface Peer {
  open(path: string): Promise<{ datasets: object[] }>
  gdal_translate(dataset: object, args: string[], name: string): Promise<{ real: string }>
}
const gdal = await init({
  path: relative(process.cwd(), join(dirname(entry), 'dist/package')),
  useWorker: false,
  dest: dirname(file),
  logHandler: () => undefined,
  errorHandler: () => undefined,
})
const { datasets } = await gdal.open(file)
const began = performance.now()
const before = process.cpuUsage()
const out = await gdal.gdal_translate(datasets[0] as object, ['-of', 'COG', '-co', 'NUM_THREADS=1', ...args], 'peer')
const cpu = process.cpuUsage(before)
console.log(
  JSON.stringify({
    cpu: (cpu.user + cpu.system) / 1e6,
    wall: (performance.now() - began) / 1000,
    rss: process.resourceUsage().maxRSS / 1024,
    bytes: statSync(out.real).size,
  }),
)
