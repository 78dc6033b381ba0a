// The examples of docs/clients.md, run as they stand there.
import { execFile } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { temporaryFolder } from '../../local/temporary-folder.ts'
import { startApp, type TestApp } from '../support/app.ts'

const run = promisify(execFile)
const document = readFileSync('docs/clients.md', 'utf8')
const example = (language: string): string => new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(document)?.[1] ?? ''
const can = (command: string, ...args: string[]): Promise<boolean> =>
  run(command, args).then(
    () => true,
    () => false,
  )

let app: TestApp
let folder: string
beforeAll(async () => {
  app = await startApp()
  folder = temporaryFolder('lamplighter-clients-')
})
afterAll(async () => {
  await app.stop()
  rmSync(folder, { recursive: true })
})

const EXAMPLES: [language: string, command: string, needs: () => Promise<boolean>][] = [
  ['bash', 'bash', () => can('curl', '--version')],
  ['python', 'python3', () => can('python3', '-c', 'import httpx')],
  ['ts', process.execPath, () => Promise.resolve(true)],
]
for (const [language, command, needs] of EXAMPLES)
  test(language, async (context) => {
    context.skip(!(await needs()), `what the example in ${language} needs is not here`)
    const file = join(folder, `example.${language}`)
    writeFileSync(file, example(language))
    const { stdout } = await run(command, [file], { env: { ...process.env, LAMPLIGHTER: app.host.url } })
    expect(stdout).toMatch(/completed/)
    expect(stdout).toMatch(/["']?greetings["']?: ?3/)
  })
