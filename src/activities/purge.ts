// Door of the timer that removes ended jobs, and files that nobody needs, when they are old enough.
import type { Deps } from '../engine/deps.ts'
import { type DurableClient, instancesOf } from '../engine/instances.ts'
import { purgeAll } from '../engine/purge.ts'
import { removeOutputs } from '../engine/remove-outputs.ts'
import { type HostTrace, inTimerTrace } from './trace.ts'

export async function purgeJobs(client: DurableClient, deps: Deps, host?: HostTrace): Promise<void> {
  await inTimerTrace('purgeJobs', host, async () => {
    await purgeAll(deps, instancesOf(client))
    await removeOutputs(deps)
  })
}
