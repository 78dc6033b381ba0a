// Requests to the catalogue over HTTP, whose every answer is looked at for what must never be in one.
import { expect } from 'vitest'
import type { Loose } from './stac.ts'

/** An answer as JSON; redirects are not followed. */
export async function read(url: string, init?: RequestInit): Promise<{ status: number; headers: Headers; body: Loose }> {
  const answer = await fetch(url, { redirect: 'manual', ...init })
  const text = await answer.text()
  expect(text).not.toMatch(/undefined|NaN|\[object/)
  // Nothing that opens the account is in any document.
  expect(text).not.toMatch(/sig=|AccountKey|devstoreaccount1/)
  return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) }
}

export const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
  read(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) })
