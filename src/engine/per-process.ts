// What a process keeps to ask less: hints, bounded, and gone with it.
import { LRUCache } from 'lru-cache'
import type { Deps } from './deps.ts'

/** A cache of at most `max` entries for each process; a test may have several. */
export function perProcess<V extends object | number>(max: number): (deps: Deps) => LRUCache<string, V> {
  const caches = new WeakMap<Deps['process'], LRUCache<string, V>>()
  return ({ process }) => {
    let cache = caches.get(process)
    if (!cache) caches.set(process, (cache = new LRUCache<string, V>({ max })))
    return cache
  }
}
