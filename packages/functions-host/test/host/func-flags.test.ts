// Flags of the real command line: with their values, and what is meant for the worker's Node.
import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { appOf, FUNC, func } from '../support/func.ts'

const SOURCE = `
const { app } = require('@azure/functions')
app.http('arguments', { handler: () => ({ jsonBody: { list: process.execArgv, inspector: require('node:inspector').url() ?? null } }) })
`

test('--cors and --timeout take their values; --language-worker -- reaches the Node of the app, so that a breakpoint can be set', async () => {
  const app = appOf({ 'index.js': SOURCE })
  const flags = ['--cors', '*', '--timeout', '60', '--language-worker', '--', '--inspect=127.0.0.1:0']
  const run = await func(['start', '--script-root', app.folder, '--port', '0', ...flags])
  expect(run.output()).toContain('Accepted and without effect here: --cors * --timeout 60')
  const { list, inspector } = (await (await fetch(`${run.url}/api/arguments`)).json()) as { list: string[]; inspector: string }
  expect(list).toContain('--inspect=127.0.0.1:0')
  expect(inspector).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\//)
  run.child.kill('SIGINT')
  expect(await run.ended).toBe(0)
  app.remove()
})

test('languageWorkers__node__arguments does the same', async () => {
  const app = appOf({ 'index.js': SOURCE })
  const run = await func(['start', '--script-root', app.folder, '--port', '0'], {
    languageWorkers__node__arguments: '--max-http-header-size=65536',
  })
  expect(((await (await fetch(`${run.url}/api/arguments`)).json()) as { list: string[] }).list).toContain(
    '--max-http-header-size=65536',
  )
  run.child.kill('SIGINT')
  await run.ended
  app.remove()
})

test('an app of function.json files is told what it is', async () => {
  const app = appOf({ 'hello/function.json': '{ "bindings": [] }', 'hello/index.js': '' })
  await expect(func(['start', '--script-root', app.folder, '--port', '0'])).rejects.toThrow(
    /hello\/function\.json belong to the programming model before version 4, which this host does not run/,
  )
  app.remove()
})

test('--help says what there is, in words of its own', () => {
  const text = execFileSync(FUNC, ['--help'], { encoding: 'utf8' })
  expect(text).toMatch(/--language-worker -- ARGUMENTS/)
  expect(text).toMatch(/--enable-auth/)
})

test('host.json with comments after values and a comma too many is read; a storage provider that is not followed is named', async () => {
  const app = appOf({
    'index.js': SOURCE,
    'host.json': `{
      "version": "2.0", // the only one
      /* all of it */ "extensions": { "http": { "routePrefix": "a//b" }, // no comment: a//b
        "durableTask": { "storageProvider": { "type": "mssql" } }, } }`,
  })
  const run = await func(['start', '--script-root', app.folder, '--port', '0'])
  expect(run.output()).toContain(
    "warning: host.json asks for the Durable storage provider 'mssql'; this host behaves like 'azureStorage'",
  )
  expect(run.output()).toContain('/a//b/arguments')
  run.child.kill('SIGINT')
  await run.ended
  app.remove()
})

test('durable-functions 3.3.0 on a Node without util.isDate is named: there createTimer fails', async () => {
  const files = { 'index.js': '', 'node_modules/durable-functions/package.json': '{ "version": "3.3.0" }' }
  const app = appOf(files, false)
  const start = func(['start', '--script-root', app.folder, '--port', '0'])
  await expect(start).rejects.toThrow(
    `warning: durable-functions 3.3.0 fails on Node ${process.version} as soon as an orchestrator calls createTimer`,
  )
  app.remove()
})
