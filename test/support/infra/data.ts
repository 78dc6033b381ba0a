// What must not be in a template, and what happens to data.
import { POSTGRES, SITE, STORAGE, type Template, unless, VAULT } from './template.ts'

const SECRET =
  /AccountKey=|SharedAccessSignature|[?&]sig=|(^|[;\s])password=|[?&]code=|InstrumentationKey=|eyJ[\w-]{10,}\.|-----BEGIN|[A-Za-z0-9+/]{86}==/i

function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(strings) : []
}

/** Texts that look like one. */
export const secretsIn = (t: Template): string[] =>
  t.all
    .flatMap(strings)
    .filter((s) => SECRET.test(s))
    .map((s) => s.slice(0, 60))

export const diagnosticsProblems = (t: Template): string[] => {
  const watched = t
    .of('Microsoft.Insights/diagnosticSettings')
    .filter((d) => /workspaces\//.test(d.properties.workspaceId) && d.properties.logs.some((l: any) => l.enabled))
    .map((d) => d.id.split('/providers/Microsoft.Insights/')[0])
  return [...t.of(POSTGRES), ...t.of(`${STORAGE}/blobServices`), ...t.of(VAULT), ...t.of(SITE)]
    .filter((r) => !watched.includes(r.id))
    .map((r) => `${r.type} ${r.name} sends its log nowhere`)
}

export function lifecycleProblems(t: Template): string[] {
  const rules = t.of(`${STORAGE}/managementPolicies`).flatMap((p) => p.properties.policy.rules as any[])
  const prefixes = rules.flatMap((r) => (r.definition.filters?.prefixMatch as string[] | undefined) ?? ['everything'])
  const data = t.of(`${STORAGE}/blobServices`).filter((b) => b.name.startsWith('lampdata'))
  return [
    ...prefixes
      .filter((p) => p !== 'lamplighter/results/' && p !== 'lamplighter/lists/')
      .map((p) => `a rule deletes ${p}, which is not the app's own`),
    ...unless(rules.length === 1, `${rules.length} lifecycle rules, not one`),
    ...data.flatMap((b) => unless(b.properties?.deleteRetentionPolicy?.days >= 7, `${b.name}: deleted blobs cannot be had back`)),
  ]
}
