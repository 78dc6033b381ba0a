// host.json, azure.yaml, .funcignore and the parameters, against models of the keys that are used: a misspelt one is nothing that Azure tells.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import * as z from 'zod'
import { hostJsonLines } from '../../local/doctor/host-json.ts'
import { hostJsonFor } from '../../local/durable-backend.ts'
import { changedFiles, findCompiler, saidBy } from '../../scripts/infra.ts'

const read = (path: string): string => readFileSync(path, 'utf8')

const timespan = z.string().regex(/^\d\d:[0-5]\d:[0-5]\d$/)
const level = z.enum(['Trace', 'Debug', 'Information', 'Warning', 'Error', 'Critical', 'None'])
const HostJson = z.strictObject({
  version: z.literal('2.0'),
  functionTimeout: timespan,
  logging: z.strictObject({
    logLevel: z.record(z.string(), level),
    applicationInsights: z.strictObject({
      samplingSettings: z.strictObject({ isEnabled: z.boolean(), excludedTypes: z.string() }),
    }),
  }),
  extensionBundle: z.strictObject({
    id: z.literal('Microsoft.Azure.Functions.ExtensionBundle'),
    version: z.string().regex(/^\[\d+\.\d+\.\d+, \d+\.\d+\.\d+\)$/),
  }),
  extensions: z.strictObject({
    http: z.strictObject({
      routePrefix: z.literal('api'),
      maxConcurrentRequests: z.int().positive(),
      maxOutstandingRequests: z.int().positive(),
      dynamicThrottlesEnabled: z.boolean(),
      hsts: z.strictObject({ isEnabled: z.boolean(), maxAge: z.string() }),
      customHeaders: z.record(z.string(), z.string()),
    }),
    durableTask: z.strictObject({
      hubName: z.literal('%TASKHUB_NAME%'),
      defaultVersion: z.string(),
      versionMatchStrategy: z.enum(['None', 'Strict', 'CurrentOrOlder']),
      versionFailureStrategy: z.enum(['Reject', 'Fail']),
      maxConcurrentActivityFunctions: z.int().positive(),
      maxConcurrentOrchestratorFunctions: z.int().positive(),
      extendedSessionsEnabled: z.literal(false),
      storageProvider: z.strictObject({
        type: z.literal('azureStorage'),
        connectionStringName: z.literal('AzureWebJobsStorage'),
        partitionCount: z.int().min(1).max(16),
        maxQueuePollingInterval: timespan,
        controlQueueVisibilityTimeout: timespan,
        workItemQueueVisibilityTimeout: timespan,
      }),
      tracing: z.strictObject({
        distributedTracingEnabled: z.literal(true),
        version: z.literal('V2'),
        traceInputsAndOutputs: z.literal(false),
        traceReplayEvents: z.literal(false),
      }),
    }),
  }),
})

describe('host.json', () => {
  const json: unknown = JSON.parse(read('host.json'))
  test('has the keys of the host, and no other', () => expect(HostJson.safeParse(json).error?.issues ?? []).toEqual([]))
  test('a misspelt key is noticed', () => {
    const wrong = structuredClone(json) as { extensions: { durableTask: object } }
    Object.assign(wrong.extensions.durableTask, { versionMatchStategy: 'CurrentOrOlder' })
    expect(HostJson.safeParse(wrong).success).toBe(false)
  })
  test('each bundle of the range has what is used; the doctor says the same of a deployment', () => {
    expect(hostJsonLines(read('host.json'), {}).filter((line) => line.status !== 'ok')).toEqual([])
    const older = read('host.json').replace('[4.37.1,', '[4.20.0,')
    expect(hostJsonLines(older, {}).map((line) => line.detail)).toEqual(
      expect.arrayContaining([expect.stringMatching(/versioning.*tracing/)]),
    )
  })
  test('a package for the scheduler names it, and keeps the rest', () => {
    const made = JSON.parse(hostJsonFor(read('host.json'), 'azureManaged')) as { extensions: { durableTask: object } }
    expect(made.extensions.durableTask).toEqual({
      ...HostJson.parse(json).extensions.durableTask,
      storageProvider: { type: 'azureManaged', connectionStringName: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING' },
    })
    expect([undefined, 'azureStorage'].map((backend) => hostJsonFor('{}', backend))).toEqual(['{}', '{}'])
    expect(() => hostJsonFor('{}', 'netherite')).toThrow('DURABLE_BACKEND is netherite; it is azureManaged or azureStorage.')
  })
  test('logs of runs are not sampled away', () => {
    const types = HostJson.parse(json).logging.applicationInsights.samplingSettings.excludedTypes.split(';')
    expect(types).toEqual(expect.arrayContaining(['Request', 'Exception', 'Trace']))
  })
})

const Hook = z.strictObject({
  posix: z.strictObject({ shell: z.literal('sh'), run: z.string() }),
  windows: z.strictObject({ shell: z.literal('pwsh'), run: z.string() }),
})
const AzureYaml = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]+$/),
  services: z.strictObject({
    api: z.strictObject({
      project: z.literal('.'),
      dist: z.literal('dist/app'),
      language: z.literal('ts'),
      host: z.literal('function'),
      remoteBuild: z.boolean(),
    }),
  }),
  hooks: z.strictObject({ postprovision: Hook, predeploy: Hook }),
})
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }

/** azd refuses the pair that contradicts itself: a package that is not built again must bring its modules, one that is must not. */
const contradicts = (remoteBuild: boolean, ignore: string): boolean =>
  remoteBuild !== ignore.split('\n').some((line) => /^\/?node_modules\/?\s*$/.test(line))

describe('azure.yaml', () => {
  const yaml = AzureYaml.parse(parse(read('azure.yaml')))
  test('deploys the folder that npm run build writes', () => {
    expect(scripts['build']).toBe('node scripts/build.ts')
    expect(read('scripts/build.ts')).toContain(yaml.services.api.dist)
  })
  test('the service is the one that the template tags', () => {
    expect(read('infra/app/function.bicep')).toContain(`'azd-service-name': '${Object.keys(yaml.services)[0]}'`)
  })
  test('remoteBuild and .funcignore do not contradict each other', () => {
    expect(contradicts(yaml.services.api.remoteBuild, read('.funcignore'))).toBe(false)
    expect(contradicts(false, 'node_modules\n')).toBe(true)
    expect(contradicts(true, '*.log\n')).toBe(true)
  })
  test.each(['posix', 'windows'] as const)('hooks of %s: roles are printed; built, then migrated, before the code', (system) => {
    const { postprovision, predeploy } = yaml.hooks
    const run = predeploy[system].run
    expect(postprovision[system].run).toContain('migrate -- --print-grants')
    expect(run.indexOf('npm run build')).toBeGreaterThanOrEqual(0)
    expect(run.indexOf('npm run migrate')).toBeGreaterThan(run.indexOf('npm run build'))
    const named = [...`${postprovision[system].run} ${run}`.matchAll(/npm run (?:-s )?(\w+)/g)].map(([, name]) => name)
    expect(named.filter((name) => !scripts[name ?? ''])).toEqual([])
  })
})

describe('main.parameters.json', () => {
  const Parameters = z.strictObject({
    $schema: z.url(),
    contentVersion: z.literal('1.0.0.0'),
    parameters: z.record(z.string(), z.strictObject({ value: z.string().regex(/^\$\{[A-Z_]+(=[^$]*)?\}$/) })),
  })
  const { parameters } = Parameters.parse(JSON.parse(read('infra/main.parameters.json')))
  const declared = new Map(
    [...read('infra/main.bicep').matchAll(/^param (\w+) ([\w[\]]+)(?: = (.+))?$/gm)].map(([, name = '', , value]) => [
      name,
      value,
    ]),
  )
  test('names parameters of the template, and gives each one without a default', () => {
    expect(Object.keys(parameters).filter((name) => !declared.has(name))).toEqual([])
    expect([...declared].filter(([name, value]) => value === undefined && !parameters[name])).toEqual([])
  })
  test('has the defaults of the template', () => {
    const differing = Object.entries(parameters).flatMap(([name, { value }]) => {
      const [given, wanted] = [/=(.*)\}$/.exec(value)?.[1], declared.get(name)?.replaceAll("'", '')]
      return given === undefined || given === wanted ? [] : [`${name}: ${given}, ${wanted}`]
    })
    expect(differing).toEqual([])
  })
  test('docs/deployment.md tells each of them', () => {
    const text = read('docs/deployment.md')
    const variables = Object.values(parameters).map(({ value }) => /^\$\{([A-Z_]+)/.exec(value)?.[1] ?? '')
    expect(variables.filter((name) => !text.includes(`\`${name}\``))).toEqual([])
  })
})

describe('the compiler', () => {
  test('BICEP goes first, and one that is not there is told', () => {
    expect(findCompiler({ BICEP: process.execPath })).toEqual({ path: process.execPath })
    expect(findCompiler({ BICEP: '/nowhere/bicep' })).toEqual({ missing: expect.stringContaining('/nowhere/bicep') })
  })
  test('none: the reason is a sentence, and nothing is downloaded unless asked', () => {
    const found = findCompiler({ PATH: '', HOME: '/nowhere', NUGET_PACKAGES: '/nowhere' })
    expect(found).toEqual({ missing: expect.stringMatching(/bicep/) })
    expect(findCompiler({ PATH: '', HOME: '/nowhere', NUGET_PACKAGES: '/nowhere' }, true)).toEqual({
      missing: expect.stringMatching(/bicep/),
    })
  })
  test('a warning of the linter is a line, and so an error; silence is one too', () => {
    // What bicep 0.49.2 says, with exit code 0, of a version that does not exist.
    const sarif = {
      version: '2.1.0',
      runs: [
        {
          tool: { driver: { name: 'bicep' } },
          results: [
            {
              ruleId: 'BCP081',
              message: { text: 'Resource type "Microsoft.Storage/storageAccounts@1999-01-01" does not have types available.' },
              locations: [
                {
                  physicalLocation: {
                    artifactLocation: { uri: 'file:///infra/main.bicep' },
                    region: { startLine: 1, charOffset: 12 },
                  },
                },
              ],
            },
          ],
        },
      ],
    }
    expect(saidBy(JSON.stringify(sarif), 'main.bicep')).toEqual([expect.stringMatching(/main\.bicep:1 BCP081: Resource type/)])
    expect(saidBy('', 'main.bicep')).toEqual(['bicep lint said nothing'])
    expect(saidBy('cannot read it', 'main.bicep')).toEqual(['cannot read it'])
  })
  test('a changed, a new and a deleted file are told', () => {
    const folder = mkdtempSync(join(tmpdir(), 'lamplighter-infra-'))
    cpSync('infra', join(folder, 'infra'), { recursive: true })
    expect(changedFiles(folder)).toEqual(changedFiles())
    writeFileSync(join(folder, 'infra/app/vault.bicep'), '// nothing\n')
    writeFileSync(join(folder, 'infra/app/new.bicep'), '// new\n')
    rmSync(join(folder, 'infra/app/roles.bicep'))
    expect(changedFiles(folder).sort()).toEqual(
      expect.arrayContaining(['infra/app/new.bicep', 'infra/app/roles.bicep', 'infra/app/vault.bicep']),
    )
    rmSync(folder, { recursive: true })
  })
})
