import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LEAST_CLAIM, MOST_CLAIM, nextClaimSize } from '../../src/rules/claim-size.ts'

const claimed = fc.integer({ min: 1, max: MOST_CLAIM })
const ms = fc.integer({ min: 0, max: 600_000 })

describe('the size of the next claim', () => {
  test('is between the bounds, and no larger for a slower batch', () => {
    fc.assert(
      fc.property(claimed, ms, ms, (n, a, b) => {
        const [quick, slow] = [Math.min(a, b), Math.max(a, b)].map((t) => nextClaimSize({ claimed: n, failed: 0, ms: t })) as [
          number,
          number,
        ]
        expect([quick, slow].every((size) => size >= LEAST_CLAIM && size <= MOST_CLAIM)).toBe(true)
        expect(slow).toBeLessThanOrEqual(quick)
      }),
    )
  })

  test('above the least it is work of 100 ms at most, by the last batch', () => {
    fc.assert(
      fc.property(claimed, ms, (n, t) => {
        const size = nextClaimSize({ claimed: n, failed: 0, ms: t })
        if (size > LEAST_CLAIM) expect(((size - 1) * t) / n).toBeLessThanOrEqual(100)
      }),
    )
  })

  test('begins anew after a failure', () => {
    expect(nextClaimSize({ claimed: 200, failed: 0, ms: 20 })).toBe(MOST_CLAIM)
    expect(nextClaimSize({ claimed: 200, failed: 1, ms: 20 })).toBe(LEAST_CLAIM)
  })
})
