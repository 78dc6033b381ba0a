// What the template would deploy, as the committed snapshots tell, and the shape of a policy: it answers with what breaks it.
import { readFileSync } from 'node:fs'

export interface Resource {
  readonly id: string
  readonly type: string
  readonly name: string
  readonly properties?: any
  readonly sku?: any
  readonly tags?: Record<string, string>
  readonly identity?: any
}
export interface Snapshot {
  readonly predictedResources: Resource[]
}
export interface Policy {
  readonly name: string
  readonly check: (template: Template) => string[]
}

/** One set of parameters, expanded: every resource that it would make. */
export class Template {
  readonly all: readonly Resource[]
  constructor(snapshot: Snapshot) {
    this.all = snapshot.predictedResources
  }
  of(type: string): readonly Resource[] {
    return this.all.filter((r) => r.type.toLowerCase() === type.toLowerCase())
  }
  one(type: string): Resource {
    const [found, ...more] = this.of(type)
    if (!found || more.length > 0) throw new Error(`${type} is there ${more.length + (found ? 1 : 0)} times, not once`)
    return found
  }
  get settings(): Readonly<Record<string, string>> {
    return this.one('Microsoft.Web/sites/config').properties
  }
  get scale(): {
    instanceMemoryMB: number
    maximumInstanceCount: number
    alwaysReady: { name: string; instanceCount: number }[]
  } {
    return this.one('Microsoft.Web/sites').properties.functionAppConfig.scaleAndConcurrency
  }
  get isManaged(): boolean {
    return this.of('Microsoft.DurableTask/schedulers').length > 0
  }
  get isPrivate(): boolean {
    return this.of('Microsoft.Network/virtualNetworks').length > 0
  }
}

export const readSnapshot = (set: string): Snapshot =>
  JSON.parse(readFileSync(`infra/test/${set}.snapshot.json`, 'utf8')) as Snapshot

export const STORAGE = 'Microsoft.Storage/storageAccounts'
export const POSTGRES = 'Microsoft.DBforPostgreSQL/flexibleServers'
export const SITE = 'Microsoft.Web/sites'
export const VAULT = 'Microsoft.KeyVault/vaults'

/** A line for each thing that is not so. */
export const unless = (holds: unknown, problem: string): string[] => (holds === true ? [] : [problem])
/** Value of a parameter of the database server. */
export const serverSetting = (t: Template, name: string): string | undefined =>
  t.of(`${POSTGRES}/configurations`).find((c) => c.name.endsWith(`/${name}`))?.properties.value as string | undefined
