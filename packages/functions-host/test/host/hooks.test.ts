import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { startHost } from '../support/host.ts'
import { appOf } from '../support/func.ts'

const SOURCE = `
const { app } = require('@azure/functions')
const seen = []
app.hook.appStart(() => void seen.push('appStart'))
app.hook.preInvocation((context) => { seen.push('pre'); context.hookData.began = 1; const inner = context.functionHandler; context.functionHandler = async (...args) => ({ ...(await inner(...args)), status: 201 }) })
app.hook.postInvocation((context) => { seen.push('post ' + context.hookData.began); if (context.error) { context.error = null; context.result = { body: 'mended' } } })
app.hook.log((line) => { line.message = line.message.replace('hunter2', '***') })
app.hook.appTerminate(() => { require('node:fs').writeFileSync(process.env.TERMINATED, 'yes') })
app.http('ok', { handler: (request, context) => { context.log('the word is hunter2'); return { jsonBody: { seen, trace: context.traceContext } } } })
app.http('fails', { handler: () => { throw new Error('broken') } })
app.http('size', { methods: ['POST'], handler: async (r) => ({ body: String((await r.text()).length) }) })
`

test('hooks run around everything, and may replace handler, result, error and log lines', async () => {
  const app = appOf({ 'index.js': SOURCE })
  const terminated = `${app.folder}/terminated`
  const lines: string[] = []
  const env = { ...process.env, TERMINATED: terminated, FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '1000' }
  const host = await startHost({
    folder: app.folder,
    port: 0,
    host: '0.0.0.0',
    enforceKeys: true,
    log: (_level, line) => void lines.push(line),
    env,
  })
  const answer = await fetch(`${host.url}/api/ok`)
  expect(answer.status).toBe(201)
  expect(await answer.json()).toEqual({
    seen: ['appStart', 'pre', 'post 1'],
    trace: expect.objectContaining({ traceParent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/) }),
  })
  expect(await (await fetch(`${host.url}/api/fails`)).text()).toBe('mended')
  expect(lines.join('\n')).toContain('the word is ***')
  expect(lines.join('\n')).toContain('--host 0.0.0.0 lets other machines call this app, with its keys.')
  const post = (body: string): Promise<Response> => fetch(`${host.url}/api/size`, { method: 'POST', body })
  expect(await (await post('x'.repeat(1000))).text()).toBe('1000')
  expect((await post('x'.repeat(1001))).status).toBe(413)
  await host.stop()
  expect(readFileSync(terminated, 'utf8')).toBe('yes')
  app.remove()
})
