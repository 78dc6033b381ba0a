// What can be submitted: every job type with the JSON Schema of its parameters.
import * as z from 'zod'
import { type HttpRow, route } from './route.ts'

export const jobTypeRoutes: readonly HttpRow[] = [
  route({
    name: 'listJobTypes',
    summary: 'what can be submitted, with the JSON Schema of the parameters',
    method: 'GET',
    path: 'job-types',
    role: 'reader',
    handle: ({ r, url }) =>
      Promise.resolve({
        body: {
          job_types: r.jobTypes.map((job) => ({
            name: job.name,
            description: job.description,
            parameters: z.toJSONSchema(job.parameters, { io: 'input', unrepresentable: 'any' }),
            stages: job.stages.map((s, i) => ({ stage: i + 1, name: s.name, weight: s.weight })),
            submit: `${url.origin}/api/jobs/submit/${job.name}`,
          })),
        },
      }),
  }),
]
