// What `npm start` says when everything runs: for people, or as one object for programs.
import type { Keys } from 'functions-host'
import { connectionLines, type Run } from './run-lock.ts'

export interface Announced {
  readonly url: string
  readonly connections: Run['connections']
  /** Set with --enable-auth. */
  readonly keys?: Keys | undefined
}

const PATHS = {
  monitor: '/api/monitor',
  index: '/api',
  job_types: '/api/job-types',
  jobs: '/api/jobs',
  ready: '/api/health/ready',
} as const

/** @param json one line instead of a text for people */
export function announcement({ url, connections, keys }: Announced, json: boolean): string {
  const links = Object.entries(PATHS).map(([name, path]) => [name, `${url}${path}`] as const)
  if (json) {
    const at = new Date().toISOString()
    return JSON.stringify({ at, level: 'info', event: 'cloud.started', url, links: Object.fromEntries(links), connections, keys })
  }
  const line = (name: string, value: string): string => `  ${name.replace('_', ' ').padEnd(12)}${value}`
  const own = connectionLines(connections)
  const header = keys ? `-H 'x-functions-key: ${keys.host}' ` : ''
  return [
    '',
    'Lamplighter is running. Ctrl-C stops it.',
    '',
    ...links.map(([name, value]) => line(name, value)),
    '',
    ...(keys
      ? [
          '  keys are asked for (x-functions-key, or ?code=):',
          `    default   ${keys.host}`,
          `    master    ${keys.master}`,
          `    durable   ${keys.system}`,
          '',
        ]
      : []),
    ...(own.length > 0 ? ['  for your own tools:', ...own.map((l) => `    ${l}`), ''] : []),
    line('try', `curl -X POST ${url}/api/jobs/submit/hello_world ${header}-H 'content-type: application/json' -d '{"n": 100}'`),
    line('your files', 'npm run upload -- ./my-rasters bronze/my-rasters'),
    '',
  ].join('\n')
}
