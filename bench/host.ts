// What the local host costs by itself: CPU seconds of executions without work, a round trip, and doing nothing.
import { readFileSync } from 'node:fs'
import { type Host, startHost } from 'functions-host'

const FOLDER = 'bench/durable-app'
/** Clock ticks per second of /proc on Linux. */
const TICKS = 100

export interface HostCost {
  /** CPU seconds of this process and the worker. */
  readonly cpu: number
  readonly seconds: number
  /** Megabytes that both keep resident afterwards. */
  readonly mb: number
}

/** A host of its own on an app without work. @param inline user code in this process: once per process only */
export function openHost(inline: boolean): Promise<Host> {
  return startHost({ folder: FOLDER, port: 0, inline, traps: 'warn', log: () => undefined })
}

async function run(host: Host, name: string, input: object): Promise<void> {
  const url = `${host.url}/runtime/webhooks/durabletask/orchestrators/${name}?timeout=600&pollingInterval=1&code=${host.keys.system}`
  const answer = await fetch(url, {
    method: 'POST',
    body: JSON.stringify(input),
    headers: { 'content-type': 'application/json' },
  })
  if (answer.status !== 200) throw new Error(`${name} did not end: ${answer.status} ${await answer.text()}`)
}

/** n activities in executions of 250. */
export async function activities(host: Host, n: number): Promise<HostCost> {
  const [cpu, started] = [cpuSeconds(host), performance.now()]
  await run(host, 'chunks', { left: n })
  return { cpu: cpuSeconds(host) - cpu, seconds: (performance.now() - started) / 1000, mb: residentMb(host) }
}

/** Milliseconds from the start of an orchestration of one activity to its answer, one after the other. */
export async function roundTrips(host: Host, count: number): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const started = performance.now()
    await run(host, 'chunk', { n: 1 })
    times.push(performance.now() - started)
  }
  return times
}

/** Share of one core that host and worker take while nothing happens. */
export async function idleShare(host: Host, seconds: number): Promise<number> {
  const cpu = cpuSeconds(host)
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  return (cpuSeconds(host) - cpu) / seconds
}

function cpuSeconds(host: Host): number {
  const { user, system } = process.cpuUsage()
  if (host.workerPid === undefined) return (user + system) / 1e6
  const fields = readFileSync(`/proc/${host.workerPid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (user + system) / 1e6 + (Number(fields[11]) + Number(fields[12])) / TICKS
}

function residentMb(host: Host): number {
  const own = process.memoryUsage.rss()
  if (host.workerPid === undefined) return Math.round(own / 2 ** 20)
  const pages = Number(readFileSync(`/proc/${host.workerPid}/statm`, 'utf8').split(' ')[1])
  return Math.round((own + pages * 4096) / 2 ** 20)
}
