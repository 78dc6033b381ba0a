// Signatures, keys and user-info in any text of a document: a catalogue is read by more people than the storage.
import type { Rule } from './subject.ts'
import { walk } from './walk.ts'

/** Parameters of SAS and Functions URLs, also inside of an encoded URL. `code=` only in a query: words and partitions are called so too. */
const PARAMETER = /([?&;\s]|%3f|%26|^)(sig|code)(?:=|%3d)(?:(?!%26)[^&;#\s"'])*/gi
const ACCOUNT = /(AccountKey|SharedAccessSignature)=[^;\s"']*;?/gi
/** Nothing before `://`, so that a long text is read once. */
const USER_INFO = /:\/\/[^/?#\s@"']+@/g

/** Undefined: nothing in it. */
export function withoutSecrets(text: string): string | undefined {
  if (!/[=@]|%3d/i.test(text)) return undefined
  const clean = text
    .replace(ACCOUNT, '')
    .replace(USER_INFO, '://')
    .replace(PARAMETER, (all, before: string, name: string) => {
      const inQuery = /^(?:[?&]|%3f|%26)$/i.test(before)
      if (!inQuery && name.toLowerCase() === 'code') return all
      return before
    })
  return clean === text ? undefined : tidied(clean)
}

/** `?&a=1`, `?a=1&&b=2` and `?a=1&` are what a taken parameter leaves. */
const tidied = (text: string): string =>
  text
    .replace(/([?&])&+/g, '$1')
    .replace(/(%3f|%26)(?:%26)+/gi, '$1')
    .replace(/(?:[?&]|%3f|%26)+(?=$|#|\s)/gi, '')

export const secretsRule: Rule = ({ document }, findings) => {
  walk(document, (text, holder, key, path) => {
    const clean = withoutSecrets(text)
    if (clean === undefined) return
    const fix = (): string => {
      const members = holder as Record<string | number, unknown>
      members[key] = clean
      return 'removed the secret'
    }
    // The text itself is in no message: reports are logged and shown.
    findings.semantic('ASSET_HREF_SECRET', path(), 'holds a signature, key or user-info', { fix })
  })
}
