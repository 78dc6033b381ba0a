// What an input is refused with: the path of each broken rule, and the name that was meant.
import { describe, expect, test } from 'vitest'
import { validate } from '../../src/http/validation.ts'
import { jobs } from '../../src/jobs/index.gen.ts'
import * as z from 'zod'

const refusal = (schema: z.ZodType, value: unknown): string => {
  try {
    validate(schema, value, 'INVALID_PARAMETERS')
  } catch (error) {
    return (error as Error).message
  }
  return 'nothing'
}

describe('a key that lacks its last letter is told from its name, in every job type', () => {
  for (const { name, parameters } of jobs) {
    const { properties = {} } = z.toJSONSchema(parameters, { io: 'output', unrepresentable: 'any' }) as { properties?: object }
    for (const key of Object.keys(properties).filter((k) => k.length > 2))
      test(`${name}: ${key}`, () =>
        expect(refusal(parameters, { [key.slice(0, -1)]: 1 })).toContain(
          `${key.slice(0, -1)}: unknown key. Did you mean ${key}?`,
        ))
  }
})

test('inside of an object, and for a word of a list; what is near to nothing gets no guess', () => {
  const list = jobs.find((j) => j.name === 'list_container')?.parameters as z.ZodType
  const given = { container_name: 'bronze', file_filter: { extention: 'tif' }, metadata_level: 'ful', zzzzzz: 1 }
  const text = refusal(list, given)
  expect(text).toContain('file_filter.extention: unknown key. Did you mean extension?')
  expect(text).toMatch(/metadata_level: .* Did you mean full\?/)
  expect(text).toMatch(/zzzzzz: unknown key(?:;|$)/)
})
