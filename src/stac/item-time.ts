// When a file was taken: the first of the job's parameter, its name, its own metadata, its last modification that can be read.
import * as z from 'zod'
import type { RasterInfo } from '../models/raster.ts'
import { AppError } from '../rules/errors.ts'
import { type Instant, parseRfc3339 } from '../rules/rfc3339.ts'

/** A time that is certain to become the item's. */
export const ItemDatetime = z
  .string()
  .max(40)
  .refine((text) => parseRfc3339(text) !== undefined, 'must be an RFC 3339 time such as 2024-05-31T10:00:00Z')

export interface TimeOptions {
  /** RFC 3339, or an interval as start/end. */
  readonly datetime?: string | undefined
  /** Tokens `{YYYY} {MM} {DD} {hh} {mm} {ss}`, `{*}` for anything, everything else as it is; found anywhere in the name. */
  readonly datetimePattern?: string | undefined
}

export interface ItemTime {
  /** Null: the interval counts. */
  readonly datetime: string | null
  readonly start: string
  readonly end: string
  readonly source: 'parameter' | 'name' | 'gdal' | 'tiff' | 'last_modified'
  readonly warnings: readonly { readonly code: string; readonly message: string }[]
}

interface File {
  readonly name: string
  readonly last_modified: string
}

/** Impossible dates fall through to the next source, with the warning `DATETIME_UNREADABLE`. */
export function itemTime(
  file: File,
  info: Partial<Pick<RasterInfo, 'tiff_date_time' | 'acquired'>>,
  options: TimeOptions,
): ItemTime {
  const interval = options.datetime?.split('/') ?? []
  if (interval.length === 2) {
    const [start, end] = interval.map((text) => parseRfc3339(text)?.iso) as [string, string]
    return { datetime: null, start, end, source: 'parameter', warnings: [] }
  }
  const warnings: { code: string; message: string }[] = []
  const said: [ItemTime['source'], string | undefined, Instant | undefined][] = [
    ['parameter', options.datetime, parseRfc3339(options.datetime ?? '')],
    ['name', options.datetimePattern && file.name, fromName(file.name, options.datetimePattern)],
    ['gdal', info.acquired, fromText(info.acquired ?? '')],
    ['tiff', info.tiff_date_time, fromText(info.tiff_date_time ?? '')],
    ['last_modified', file.last_modified, parseRfc3339(file.last_modified)],
  ]
  for (const [source, text, at] of said) {
    if (at) return { datetime: at.iso, start: at.iso, end: at.iso, source, warnings }
    if (text)
      warnings.push({
        code: 'DATETIME_UNREADABLE',
        message: `${source}: ${JSON.stringify(text.slice(0, 60))} is no time that exists`,
      })
  }
  throw new AppError('STAC_INVALID', `${file.name} has no time of its last modification.`)
}

/** `YYYY:MM:DD hh:mm:ss` (TIFF 6.0, tag 306; taken as UTC), or RFC 3339 with or without offset. */
function fromText(text: string): Instant | undefined {
  const found = /^\s*(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,9})?)\s*(Z|[+-]\d\d:\d\d)?\s*$/i.exec(
    text.slice(0, 60),
  )
  if (!found) return undefined
  const [, year, month, day, time, offset = 'Z'] = found
  return parseRfc3339(`${year}-${month}-${day}T${time}${offset}`)
}

const TOKENS = { YYYY: 4, MM: 2, DD: 2, hh: 2, mm: 2, ss: 2 } as const
type Token = keyof typeof TOKENS

/** @throws AppError `INVALID_PARAMETERS` when the year, month or day is missing, or a token unknown or said twice */
export function assertDatetimePattern(pattern: string): void {
  const tokens = [...pattern.matchAll(/\{([^{}]*)\}/g)].map((m) => m[1] as string).filter((t) => t !== '*')
  const unknown = tokens.find((t) => !Object.hasOwn(TOKENS, t))
  const wrong =
    unknown === undefined
      ? new Set(tokens).size < tokens.length
        ? 'each token may be there once'
        : !['YYYY', 'MM', 'DD'].every((t) => tokens.includes(t)) && 'needs {YYYY}, {MM} and {DD}'
      : `{${unknown}} is no token; use {YYYY}, {MM}, {DD}, {hh}, {mm}, {ss}`
  if (wrong)
    throw new AppError('INVALID_PARAMETERS', `Invalid input: datetime_pattern: ${wrong}`, {
      issues: [{ path: 'datetime_pattern', message: wrong }],
    })
}

function fromName(name: string, pattern: string | undefined): Instant | undefined {
  if (!pattern) return undefined
  const source = pattern
    .split(/(\{[^{}]*\})/)
    .map((part) => {
      const token = /^\{(.*)\}$/.exec(part)?.[1]
      if (token === '*') return '[^]*?'
      if (token !== undefined && Object.hasOwn(TOKENS, token)) return `(?<${token}>\\d{${TOKENS[token as Token]}})`
      return part.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`)
    })
    .join('')
  const found = new RegExp(source).exec(name)?.groups
  if (!found) return undefined
  const { YYYY, MM, DD, hh = '00', mm = '00', ss = '00' } = found
  return parseRfc3339(`${YYYY}-${MM}-${DD}T${hh}:${mm}:${ss}Z`)
}
