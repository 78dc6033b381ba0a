// Activities that do nothing, in executions of 250: what the host itself costs.
const df = require('durable-functions')

df.app.activity('nothing', { handler: () => ({}) })
df.app.orchestration('chunk', function* (context) {
  const { n } = context.df.getInput()
  yield context.df.Task.all(Array.from({ length: n }, () => context.df.callActivity('nothing', {})))
  return {}
})
df.app.orchestration('chunks', function* (context) {
  const { left } = context.df.getInput()
  const sizes = Array.from({ length: Math.min(40, Math.ceil(left / 250)) }, (_, i) => Math.min(250, left - i * 250))
  yield context.df.Task.all(sizes.map((n) => context.df.callSubOrchestrator('chunk', { n })))
  const rest = left - sizes.reduce((sum, n) => sum + n, 0)
  if (rest > 0) context.df.continueAsNew({ left: rest })
  return {}
})
