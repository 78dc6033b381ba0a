// Over the whole run of the app's tests: no answer and no line that a host printed holds what could open something, and no answer a stack.
import { afterAll, beforeEach, expect } from 'vitest'
import { allOutput } from 'functions-host/testing'
import { leaksIn } from './leaks-in.ts'

/** Answers that are signatures or keys: given to those who may have them. */
const GIVEN = /\/api\/(containers\/[^/]+\/(sas|container-sas|gdal\/)|jobs\/[0-9a-f]{64}\/management)/

const found: string[] = []
const scans: Promise<void>[] = []
const plainFetch = globalThis.fetch
let title = ''

async function scan(what: string, answer: Response): Promise<void> {
  const headers = JSON.stringify([...answer.headers].filter(([name]) => name !== 'location'))
  const isText = /json|text\/(?!csv)/.test(answer.headers.get('content-type') ?? '')
  const text = `${headers}${isText ? await answer.text().catch(() => '') : ''}`
  for (const leak of leaksIn(text, { stacks: true })) found.push(`${title}: ${what}: ${leak}`)
}

globalThis.fetch = async (input, init) => {
  const answer = await plainFetch(input, init)
  const url = typeof input === 'string' ? input : input instanceof URL ? input.href : input.url
  if (/\/api\//.test(url) && !GIVEN.test(url)) scans.push(scan(`${init?.method ?? 'GET'} ${url.slice(0, 200)}`, answer.clone()))
  return answer
}

beforeEach(({ task }) => {
  title = task.name
})
afterAll(async () => {
  await Promise.all(scans)
  for (const leak of leaksIn(allOutput(), { stacks: false })) found.push(`a line of a host: ${leak}`)
  expect(found).toEqual([])
})
