// hello_world with a wait in every task: what a task costs when it has something to wait for.
import { setTimeout } from 'node:timers/promises'
import * as z from 'zod'
import { defineJob, defineStage } from '../../src/define/define-job.ts'

const parameters = z.strictObject({
  n: z.int().min(1).max(100_000),
  name: z.string(),
  task_ms: z.int().min(1).describe('how long each task waits'),
})

/** As many at once as the workers of the best peer: four, with batches of 50. A task that waits costs nothing meanwhile. */
const taskConcurrency = 50

const greeting = defineStage({
  name: 'say_greeting',
  parameters,
  taskConcurrency,
  result: z.object({ greeting: z.string() }),
  *plan({ parameters }) {
    for (let index = 0; index < parameters.n; index++) yield { key: `greet_${index}`, parameters: { index } }
  },
  async run(task, ctx) {
    await setTimeout(ctx.parameters.task_ms)
    return { greeting: `Hello ${ctx.parameters.name} from task ${task.parameters.index}!` }
  },
})

const reply = defineStage({
  name: 'send_reply',
  parameters,
  after: greeting,
  taskConcurrency,
  result: z.object({ reply: z.string() }),
  *plan({ parameters }) {
    for (let index = 0; index < parameters.n; index++) yield { key: `reply_${index}`, source: `greet_${index}` }
  },
  async run(_task, ctx) {
    await setTimeout(ctx.parameters.task_ms)
    return { reply: `Thank you for "${(await ctx.predecessor()).greeting}"` }
  },
})

export default defineJob({
  name: 'waiting_hello',
  description: 'Greets n times, then answers every greeting; each task waits.',
  parameters,
  stages: [greeting, reply],
  result: ({ stages }) => Promise.resolve({ greetings: stages[0]?.completed ?? 0, replies: stages[1]?.completed ?? 0 }),
})
