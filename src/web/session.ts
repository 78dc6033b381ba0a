// The key or token of this tab: kept until the tab is closed, sent in a header, never part of an address.

const KEY = 'lamplighter.credential'

/** A token has three parts with dots between (RFC 7519); whatever else is pasted is a key. */
const isToken = (text: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text)

/** The header that stands for it; a token may be pasted with the word before it. */
export function credentialHeader(pasted: string): Readonly<Record<string, string>> {
  const text = pasted.trim().replace(/^Bearer\s+/i, '')
  if (text === '') return {}
  return isToken(text) ? { authorization: `Bearer ${text}` } : { 'x-functions-key': text }
}

export const credential = (): string => sessionStorage.getItem(KEY) ?? ''
export const signIn = (pasted: string): void => sessionStorage.setItem(KEY, pasted.trim())
export const signOut = (): void => sessionStorage.removeItem(KEY)
