import { SaxesParser } from 'saxes'
import { describe, expect, test } from 'vitest'
import { exponentOf, lastExponentOf, logLogSvg, type Point } from '../../bench/log-log.ts'

const curve = (exponent: number): Point[] => [1, 10, 1000].map((x) => [x, 0.3 * x ** exponent])

describe('plots of growth', () => {
  test.each([0, 1, 1.5, 2, -1])('the exponent of a power is its own: %d', (exponent) => {
    expect(exponentOf(curve(exponent))).toBeCloseTo(exponent, 10)
    // What a start costs flattens the beginning, not the end.
    expect(lastExponentOf([[1, 100], ...curve(exponent).slice(1)])).toBeCloseTo(exponent, 10)
  })

  test('the document is XML, says the exponent, and keeps every point inside', () => {
    const svg = logLogSvg({ title: 'a < b & c', sizes: 'n', costs: 's', series: [{ name: 'x', points: curve(2) }] })
    const parser = new SaxesParser()
    const circles: [number, number][] = []
    parser.on('opentag', ({ name, attributes }) => {
      if (name === 'circle') circles.push([Number(attributes['cx']), Number(attributes['cy'])])
    })
    parser.write(svg).close()
    expect(svg).toContain('exponent 2.00')
    expect(circles).toHaveLength(3)
    for (const [x, y] of circles) expect([x >= 64 && x <= 516, y >= 36 && y <= 316]).toEqual([true, true])
    expect(circles.map((c) => c[0])).toEqual(circles.map((c) => c[0]).toSorted((a, b) => a - b))
  })
})
