// What PostgreSQL text and jsonb cannot hold: U+0000 and lone surrogates.
import { AppError } from './errors.ts'

// A lone surrogate is what toWellFormed() would replace; NUL is legal in JavaScript and JSON, but not in text.
const isStorableText = (text: string): boolean => !text.includes('\u0000') && text.isWellFormed()

/** Replaces what cannot be stored by U+FFFD: for error texts, where a failure must never become unrecordable. */
export function cleanText(text: string): string {
  return text.replaceAll('\u0000', '\uFFFD').toWellFormed()
}

/**
 * JSON text of a value for a jsonb parameter.
 * @throws AppError `TEXT_NOT_STORABLE` naming the path: results and parameters are never altered silently
 */
export function storableJson(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null'
  // One scan of the text first: almost every value passes, and only a suspicious one is walked.
  if (/\\u0000|\\ud[89a-f][0-9a-f]{2}/i.test(text)) assertStorable(value, '')
  return text
}

function assertStorable(value: unknown, path: string): void {
  if (typeof value === 'string' && !isStorableText(value)) {
    throw new AppError(
      'TEXT_NOT_STORABLE',
      `The text at ${path || 'the top'} holds NUL or a lone surrogate, which cannot be stored.`,
      {
        issues: [{ path, message: 'holds NUL or a lone surrogate' }],
      },
    )
  }
  if (typeof value !== 'object' || value === null) return
  for (const [key, member] of Object.entries(value)) {
    assertStorable(key, path)
    assertStorable(member, path ? `${path}.${key}` : key)
  }
}
