// A child process that misbehaves as it is told: the name of the blob says how.
const kept: unknown[] = []
process.on('message', (request: { id: number; task: { source?: { blob: string } } }) => {
  const how = request.task.source?.blob
  if (how === 'crash') process.abort()
  if (how === 'exit') process.exit(3)
  if (how === 'hang') return
  if (how === 'grow') {
    setInterval(() => kept.push(Buffer.alloc(20_000_000, 1)), 20)
    return
  }
  process.send?.({ id: request.id, ok: true, value: { pid: process.pid } })
})
process.on('disconnect', () => process.exit(0))
