// For app tests: the built bundle, one Postgres with a template database, one Azurite; each file starts a host of its own.
import { rm } from 'node:fs/promises'
import type { TestProject } from 'vitest/node'
import { startAzurite } from '../../local/azurite.ts'
import { temporaryFolder } from '../../local/temporary-folder.ts'
import { freshApp } from '../../local/build-app.ts'
import setupDatabase from './database-setup.ts'

declare module 'vitest' {
  interface ProvidedContext {
    storage: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = temporaryFolder('lamplighter-azurite-')
  const [stopDatabase, azurite] = await Promise.all([
    setupDatabase(project),
    startAzurite({ folder, inMemory: true }),
    freshApp(),
  ])
  project.provide('storage', azurite.connectionString)
  return async () => {
    await azurite.stop()
    await stopDatabase()
    await rm(folder, { recursive: true, force: true })
  }
}
