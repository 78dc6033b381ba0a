// The span of a statement: `sql <function>`. Text and values are never in it.
import { SpanKind } from '@opentelemetry/api'
import { inSpan, isTracing } from '../telemetry/spans.ts'

/** Of what sql-function.ts sends; and the verb of every other statement. */
const NAME = /^\s*(?:SELECT \* FROM app\.(\w+)\(|([a-z]+))/i

export const sqlSpanName = (text: string): string => {
  const [, called, verb = 'statement'] = NAME.exec(text) ?? []
  return `sql ${called ?? verb.toLowerCase()}`
}

/** Runs one statement in its span; without an SDK as it is. */
export function inSqlSpan<T>(text: string, run: () => Promise<T>): Promise<T> {
  if (!isTracing()) return run()
  return inSpan(sqlSpanName(text), { 'db.system.name': 'postgresql' }, run, SpanKind.CLIENT)
}
