// The smallest complete job: two stages, one descending from the other.
import * as z from 'zod'
import { defineJob, defineStage } from '../define/define-job.ts'

const parameters = z.strictObject({
  n: z.int().min(1).max(100_000).default(1).describe('how many greetings'),
  name: z.string().min(1).max(100).default('World').describe('who is greeted'),
})

const greeting = defineStage({
  name: 'say_greeting',
  parameters,
  result: z.object({ greeting: z.string() }),
  *plan({ parameters }) {
    for (let index = 0; index < parameters.n; index++) yield { key: `greet_${index}`, parameters: { index } }
  },
  run: (task, ctx) => ({ greeting: `Hello ${ctx.parameters.name} from task ${task.parameters.index}!` }),
})

const reply = defineStage({
  name: 'send_reply',
  parameters,
  after: greeting,
  result: z.object({ reply: z.string() }),
  *plan({ parameters }) {
    for (let index = 0; index < parameters.n; index++) yield { key: `reply_${index}`, source: `greet_${index}` }
  },
  run: async (_task, ctx) => ({ reply: `Thank you for "${(await ctx.predecessor()).greeting}"` }),
})

export default defineJob({
  name: 'hello_world',
  description: 'Greets n times, then answers every greeting.',
  parameters,
  stages: [greeting, reply],
  result: ({ stages }) => Promise.resolve({ greetings: stages[0]?.completed ?? 0, replies: stages[1]?.completed ?? 0 }),
})
