// The finished inventories of a container.
import { api, query } from '../api.ts'
import type { Job, Json } from '../types.ts'

const MOST = 50

/** Of the whole container, newest first. @throws ApiError */
export async function inventoriesOf(container: string, signal: AbortSignal): Promise<Job[]> {
  const asked = query({ type: 'inventory_container', status: 'completed', text: container, limit: MOST })
  const { jobs } = await api<{ jobs: readonly Job[] }>(`jobs${asked}`, { signal })
  return jobs.filter(({ parameters }) => {
    const given = parameters as Readonly<Record<string, Json>> | null
    return given?.['container_name'] === container && (given['prefix'] ?? '') === ''
  })
}
