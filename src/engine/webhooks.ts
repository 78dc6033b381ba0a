// Tells webhooks which jobs have ended: what the transaction of the end wrote down is sent until it is taken, or given up.
import pLimit from 'p-limit'
import { endDelivery, takeDeliveries, type TakenDelivery } from '../db/webhook-functions.ts'
import type { Deps } from './deps.ts'

const LIMIT = 50
const SIDE_BY_SIDE = 8
/** Longer than a try can take. */
const LEASE_MS = 60_000
/** About a day: 30 s, 1 min, 2 min … 6 h. */
export const MOST_TRIES = 12
const FIRST_WAIT_MS = 30_000
const LONGEST_WAIT_MS = 6 * 3_600_000

/** One pass; safe when several run at once: each message is handed out to one of them. @returns number of messages that were taken */
export async function deliverWebhooks(deps: Deps): Promise<number> {
  const due = await takeDeliveries(deps.db, { limit: LIMIT, lease: LEASE_MS })
  const limit = pLimit(SIDE_BY_SIDE)
  await limit.map(due, (delivery) => deliver(deps, delivery))
  return due.length
}

async function deliver(deps: Deps, delivery: TakenDelivery): Promise<void> {
  const { webhook_id, job_id, attempt, tries, url, secret_name, payload } = delivery
  const answer = await deps.webhooks.send({
    url,
    secret_name,
    id: `${webhook_id}.${job_id.slice(0, 16)}.${attempt}`,
    body: JSON.stringify(payload),
  })
  const isLast = answer.error !== null && (answer.isGone || tries >= MOST_TRIES)
  const wait = answer.retryAfterMs ?? backoff(tries, deps.random())
  const retry_in = answer.error === null || isLast ? null : wait
  await endDelivery(deps.db, { webhook_id, job_id, attempt, tries, answered: answer.status, error: answer.error, retry_in })
  const fields = { webhook_id, job_id, attempt, tries, status: answer.status, reason: answer.error }
  if (answer.error === null) deps.log.info('webhook.delivered', fields)
  else if (isLast) deps.log.warn('webhook.dead', fields)
  else deps.log.warn('webhook.failed', fields)
}

/** Doubles; half of it is drawn, so that receivers that come back are not met by all at once. */
export function backoff(tries: number, random: number): number {
  const whole = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1))
  return Math.round(whole / 2 + (whole / 2) * random)
}
