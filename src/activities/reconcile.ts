// Door of the timer that repairs what crashes left.
import type { Deps } from '../engine/deps.ts'
import { type DurableClient, instancesOf } from '../engine/instances.ts'
import { IDLE_SECONDS, reconcile } from '../engine/reconcile.ts'
import { deliverWebhooks } from '../engine/webhooks.ts'
import { runSchedules } from '../engine/schedules.ts'
import { type HostTrace, inTimerTrace } from './trace.ts'

let isFirstPass = true

/** At the start of a host every running job may have lost its instance: the first pass looks at all of them. */
export async function reconcileJobs(client: DurableClient, deps: Deps, host?: HostTrace): Promise<void> {
  const idleSeconds = isFirstPass ? 0 : IDLE_SECONDS
  isFirstPass = false
  await inTimerTrace('reconcileJobs', host, async () => {
    const instances = instancesOf(client)
    await reconcile(deps, instances, idleSeconds)
    await runSchedules({ ...deps, instances })
    await deliverWebhooks(deps)
  })
}
