// Times: RFC 3339 in UTC everywhere, and what those of an item say together.
import { parseRfc3339 } from '../../rules/rfc3339.ts'
import type { Findings, Path } from './findings.ts'
import { isObject, type JsonObject, listOf, shown, textOf } from './json.ts'
import type { Rule } from './subject.ts'

export const TIMES = ['datetime', 'start_datetime', 'end_datetime', 'created', 'updated'] as const
/** The pattern of datetime.json. A lower-case `z` and every other offset are repaired, not accepted. */
const UTC = /(\+00:00|Z)$/

export const timeRule: Rule = ({ document, kind, carriers, now }, findings) => {
  for (const { path, value } of carriers) for (const key of TIMES) format(value, key, [...path, key], findings)
  const { extent, properties } = document
  const temporal = isObject(extent) ? extent.temporal : undefined
  for (const [i, interval] of listOf(isObject(temporal) ? temporal.interval : undefined).entries())
    if (Array.isArray(interval))
      for (const end of interval.keys()) format(interval, end, ['extent', 'temporal', 'interval', i, end], findings)
  if (kind !== 'Item' || !isObject(properties)) return
  missing(properties, findings)
  order(properties, findings)
  future(properties, now, findings)
}

function format(holder: JsonObject | unknown[], key: string | number, path: Path, findings: Findings): void {
  const members = holder as Record<string | number, unknown>
  const text = textOf(members[key])
  if (text === undefined) return
  const instant = parseRfc3339(text)
  if (instant && UTC.test(text)) return
  const fix = (): string => {
    members[key] = instant?.iso
    return `${shown(text)} written as ${shown(instant?.iso)}`
  }
  const message = instant ? `${shown(text)} is not written in UTC` : `${shown(text)} is no RFC 3339 time`
  findings.semantic('DATETIME_FORMAT', path, message, { fix: instant && fix })
}

function missing(properties: JsonObject, findings: Findings): void {
  const { datetime, start_datetime: start, end_datetime: end, created } = properties
  const hasInterval = start !== undefined && end !== undefined
  if (datetime !== undefined && (datetime !== null || hasInterval)) return
  const fix = (): string => {
    properties.datetime = hasInterval ? null : created
    return hasInterval ? 'null beside the interval' : 'copied from created'
  }
  const canFix = hasInterval || (typeof created === 'string' && parseRfc3339(created) !== undefined)
  const message = hasInterval ? 'absent; null says that the interval holds' : 'neither a time nor both ends of an interval'
  findings.semantic('DATETIME_MISSING', ['properties', 'datetime'], message, { fix: canFix ? fix : undefined })
}

const msOf = (value: unknown): number => (typeof value === 'string' ? (parseRfc3339(value)?.ms ?? Number.NaN) : Number.NaN)

function order({ datetime, start_datetime, end_datetime }: JsonObject, findings: Findings): void {
  const [at, start, end] = [msOf(datetime), msOf(start_datetime), msOf(end_datetime)]
  if (start > end) findings.semantic('DATETIME_ORDER', ['properties', 'start_datetime'], 'start_datetime is after end_datetime')
  else if (at < start || at > end)
    findings.semantic(
      'DATETIME_OUTSIDE_INTERVAL',
      ['properties', 'datetime'],
      'datetime is not between start_datetime and end_datetime',
    )
}

/** The end of an interval may be planned. */
function future(properties: JsonObject, now: Date, findings: Findings): void {
  for (const key of TIMES)
    if (key !== 'end_datetime' && msOf(properties[key]) > now.getTime())
      findings.semantic('DATETIME_FUTURE', ['properties', key], `${shown(properties[key])} is yet to come`)
}
