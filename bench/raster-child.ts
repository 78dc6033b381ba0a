// One conversion in a process of its own, as a task's child has it: CPU, wall time and the largest resident memory.
import { writeFile } from 'node:fs/promises'
import { convert, fileSource } from '../test/support/raster.ts'

const [file = '', options = '{}', out = ''] = process.argv.slice(2)
const source = await fileSource(file)
const began = performance.now()
const before = process.cpuUsage()
const { bytes, plan, reports } = await convert(source, JSON.parse(options) as object)
const cpu = process.cpuUsage(before)
const result = {
  cpu: (cpu.user + cpu.system) / 1e6,
  wall: (performance.now() - began) / 1000,
  // The output itself is held by this harness alone: tasks send their blocks away.
  rss: process.resourceUsage().maxRSS / 1024 - bytes.length / 2 ** 20,
  bytes: bytes.length,
  tasks: reports.length,
  memory_mb: plan.memory_mb,
}
if (out) await writeFile(out, bytes)
console.log(JSON.stringify(result))
