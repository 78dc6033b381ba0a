// SQL literals for generated DDL. Never used for values at run time: those are parameters.

/** Quotes text, numbers, booleans and JSON for DDL. */
export function literal(value: unknown): string {
  if (value === null) return 'NULL'
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return `'${text.replaceAll("'", "''")}'`
}
