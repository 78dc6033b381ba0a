import { expect, test } from 'vitest'
import { selfTimes } from '../../bench/cpu-profile.ts'

const frame = (id: number, functionName: string, url = '') => ({ id, callFrame: { functionName, url } })

test('a profile tells the own time of each function, most first, without idling and without its beginning', () => {
  const profile = {
    nodes: [frame(1, '(idle)'), frame(2, 'parse'), frame(3, '', 'file:///a.js'), frame(4, 'writev', 'node:net')],
    samples: [2, 1, 3, 4, 4],
    timeDeltas: [2000, 4000, 1000, 1500, 1500],
  }
  expect(selfTimes(profile, 0)).toEqual([
    { name: 'writev (node:net)', ms: 3 },
    { name: 'parse', ms: 2 },
    { name: '(anonymous)', ms: 1 },
  ])
  expect(selfTimes(profile, 0.5)).toEqual([
    { name: 'writev (node:net)', ms: 3 },
    { name: '(anonymous)', ms: 1 },
  ])
})
