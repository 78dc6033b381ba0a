// The plain fan-out of the Durable documentation: one activity a task, each stores its result in Postgres.
const df = require('durable-functions')
const { Pool } = require('pg')

const pool = new Pool({ connectionString: process.env.PEER_DATABASE_URL, max: 30 })

df.app.activity('doTask', {
  handler: async ({ job, stage, task, taskMs }) => {
    if (taskMs > 0) await new Promise((resolve) => setTimeout(resolve, taskMs))
    const result = { greeting: `Hello ${job} from task ${task}!` }
    await pool.query('INSERT INTO peer.results VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING', [job, stage, task, result])
    return result
  },
})
df.app.activity('endJob', {
  handler: ({ job }) => pool.query('UPDATE peer.runs SET ended_at = now() WHERE job = $1', [job]).then(() => ({})),
})
df.app.orchestration('fanOut', function* (context) {
  const { job, n, taskMs } = context.df.getInput()
  for (const stage of [1, 2])
    yield context.df.Task.all(
      Array.from({ length: n }, (_, i) => context.df.callActivity('doTask', { job, stage, task: i + 1, taskMs })),
    )
  yield context.df.callActivity('endJob', { job })
  return {}
})
