// This process and what runs through it: settings, memory, event loop, orchestration client, breakers, jobs of the last day.
import { countRecentJobs } from '../db/diagnostics.ts'
import { listOpenBreakers } from '../db/reading.ts'
import type { Instances } from '../engine/instances.ts'
import { takeEventLoopLag } from '../platform/event-loop.ts'
import { RELEASE } from '../platform/release.ts'
import type { Resources } from '../platform/resources.ts'
import type { Check, Finding } from './check.ts'

/** Settings that are legal, and yet leave something open. */
export function settings({ config }: Pick<Resources, 'config'>): Check {
  return {
    name: 'settings',
    ask: () => {
      if (config.AUTH_MODE === 'easyauth' && config.WEBSITE_AUTH_ENABLED?.toLowerCase() !== 'true')
        return found({
          status: 'failed',
          detail:
            'AUTH_MODE is easyauth, and App Service authentication is off: its header is not trusted, every caller is anonymous.',
          remediation: 'Switch authentication on for the app, or set AUTH_MODE=jwt with JWT_ISSUER and JWT_AUDIENCE.',
        })
      if (config.AUTH_MODE === 'key' && config.ENVIRONMENT === 'production')
        return found({
          status: 'degraded',
          detail: 'AUTH_MODE is key: callers cannot be told apart, each counts as operator.',
          remediation: 'Set AUTH_MODE=jwt with JWT_ISSUER and JWT_AUDIENCE.',
        })
      return found({ status: 'ok', detail: `AUTH_MODE ${config.AUTH_MODE}, ENVIRONMENT ${config.ENVIRONMENT}.` })
    },
  }
}
const found = (finding: Finding): Promise<Finding> => Promise.resolve(finding)

/** An id that no job has: the client has to answer that it knows none. */
const NO_JOB = '0'.repeat(64)

/** The extension answers, and through it the store of its task hub. */
export function orchestrations(instances: Pick<Instances, 'find'>): Check {
  return {
    name: 'durable',
    remedies: {
      DURABLE_UNAVAILABLE:
        'Look whether the store of the task hub can be reached: its connection settings, and the roles of the identity on it.',
    },
    async ask() {
      await instances.find(NO_JOB)
      return { status: 'ok' }
    },
  }
}

export function breakers({ db }: Pick<Resources, 'db'>): Check {
  return {
    name: 'breakers',
    async ask() {
      const open = await listOpenBreakers(db)
      if (open.length === 0) return { status: 'ok' }
      return {
        status: 'degraded',
        detail: `Tasks wait for ${open.map((b) => b.name).join(', ')}, which was down when it was last tried.`,
        data: { open },
      }
    },
  }
}

const MB = 1024 * 1024
const LAG_MS = 1000

export function thisProcess({ process: { id, name } }: Pick<Resources, 'process'>): Check {
  return {
    name: 'process',
    ask: () => {
      const { rss, heapUsed } = process.memoryUsage()
      const lag = takeEventLoopLag()
      const data = {
        ...RELEASE,
        node: process.version,
        host: name,
        process: id,
        uptime_s: Math.round(process.uptime()),
        rss_mb: Math.round(rss / MB),
        heap_mb: Math.round(heapUsed / MB),
        event_loop: lag,
      }
      if (lag.p99_ms < LAG_MS) return found({ status: 'ok', data })
      const detail = `The event loop is up to ${lag.p99_ms} ms late: requests and heartbeats wait.`
      return found({ status: 'degraded', detail, remediation: 'Run fewer activities at once on an instance.', data })
    },
  }
}

/** Not a verdict: jobs may fail because their files are bad. */
export function recentJobs({ db }: Pick<Resources, 'db'>): Check {
  return { name: 'jobs.24h', ask: async () => ({ status: 'ok', data: await countRecentJobs(db) }) }
}
