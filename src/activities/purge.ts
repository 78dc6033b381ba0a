// Door of the timer that removes ended jobs when they are old enough.
import type { Deps } from '../engine/deps.ts'
import { type DurableClient, instancesOf } from '../engine/instances.ts'
import { purgeAll } from '../engine/purge.ts'

export const purgeJobs = (client: DurableClient, deps: Deps): Promise<void> => purgeAll(deps, instancesOf(client))
