// The child processes of this host: some convert, which takes long; others answer looks, which must not wait for them.
import type { Slots } from '../models/slots.ts'
import { defaultSlots, RasterPool } from './pool.ts'

let conversions: RasterPool | undefined
let looks: RasterPool | undefined

/** As many as fit into the instance. */
export const conversionPool = (): RasterPool => (conversions ??= new RasterPool({ size: defaultSlots() }))
/** Two: one look never waits for another that is slow. */
export const lookPool = (): RasterPool => (looks ??= new RasterPool({ size: 2, tasksPerProcess: 2000 }))

/** Places for conversions: taken before a task is claimed. */
export const conversionSlots: Slots = places(() => conversionPool().size)

/** First come, first served. */
export function places(size: () => number): Slots {
  let taken = 0
  const waiting: (() => void)[] = []
  const release = (): void => {
    const next = waiting.shift()
    if (next) next()
    else taken--
  }
  /** Gives a place back once, however often it is called. */
  const once = (): (() => void) => {
    let given = false
    return () => {
      if (!given) release()
      given = true
    }
  }
  return {
    take(ms) {
      if (taken < size()) {
        taken++
        return Promise.resolve(once())
      }
      const { promise, resolve } = Promise.withResolvers<(() => void) | undefined>()
      const next = (): void => {
        clearTimeout(timer)
        resolve(once())
      }
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(next), 1)
        resolve(undefined)
      }, ms)
      waiting.push(next)
      return promise
    },
  }
}
