// Test projects: unit, raster, stac and replay are pure; platform starts small servers and processes and reads the infrastructure; host runs
// small apps on the local host; sql needs Postgres; app, endurance and browser need the whole local cloud.
import { defineConfig } from 'vitest/config'

const SHOW_OUTPUT = { setupFiles: ['packages/functions-host/test/support/show-output.ts'] }

const project = (name: string, extra: object = {}): object => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`, `packages/*/test/${name}/**/*.test.ts`],
    environment: 'node',
    pool: 'forks',
    expect: { poll: { timeout: 20_000 } },
    ...extra,
  },
})

const CLOUD = {
  setupFiles: [...SHOW_OUTPUT.setupFiles, 'test/support/leaks.ts'],
  globalSetup: ['test/support/cloud-setup.ts'],
  testTimeout: 180_000,
  hookTimeout: 120_000,
}

export default defineConfig({
  test: {
    reporters: ['default'],
    silent: 'passed-only',
    // Most of the time of a test is waiting: for timers, processes and one another.
    maxWorkers: 2,
    projects: [
      // Rules without state, so that files share what they import.
      project('unit', { testTimeout: 60_000, pool: 'threads', isolate: false }),
      project('platform', { testTimeout: 60_000, pool: 'threads', isolate: false }),
      project('raster', { ...SHOW_OUTPUT, testTimeout: 120_000 }),
      project('stac', { testTimeout: 60_000, pool: 'threads', isolate: false }),
      project('replay', { testTimeout: 60_000 }),
      project('host', { ...SHOW_OUTPUT, isolate: false, testTimeout: 60_000, hookTimeout: 170_000 }),
      project('sql', {
        isolate: false,
        globalSetup: ['test/support/database-setup.ts'],
        testTimeout: 120_000,
        hookTimeout: 60_000,
      }),
      // As app, with a browser; where none can start the title of a skipped test says why.
      project('browser', {
        ...SHOW_OUTPUT,
        globalSetup: ['test/support/cloud-setup.ts'],
        testTimeout: 60_000,
        hookTimeout: 120_000,
      }),
      project('app', CLOUD),
      // Kills, outages, lost answers, large containers, several hosts: minutes, so that `npm run test:endurance` runs them, as CI does.
      project('endurance', CLOUD),
    ],
  },
})
