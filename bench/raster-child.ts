// One conversion in a process of its own, as a task's child has it: CPU, wall time and the largest resident memory.
import { convert, fileSource } from '../test/support/raster.ts'

const [file = '', options = '{}'] = process.argv.slice(2)
const source = await fileSource(file)
const began = performance.now()
const before = process.cpuUsage()
const { fileSize, plan, reports } = await convert(source, JSON.parse(options) as object, { discards: true })
const cpu = process.cpuUsage(before)
const result = {
  cpu: (cpu.user + cpu.system) / 1e6,
  wall: (performance.now() - began) / 1000,
  rss: process.resourceUsage().maxRSS / 1024,
  bytes: fileSize,
  tasks: reports.length,
  memory_mb: plan.memory_mb,
}
console.log(JSON.stringify(result))
