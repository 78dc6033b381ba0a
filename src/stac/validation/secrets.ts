// Signatures, keys and user-info in any text of a document: a catalogue is read by more people than the storage.
import type { Rule } from './subject.ts'
import { walk } from './walk.ts'

/** Parts of connection strings. */
const ACCOUNT = /(?:AccountKey|SharedAccessSignature)=[^;\s"']*;?/gi
/** Bounded, so that a long text is read once. */
const USER_INFO = /:\/\/[^/?#\s@"']{1,1024}@/g
/** Parameters of SAS and Functions URLs, also inside of an encoded URL. */
const PARAMETER = /(?:sig|code|x-(?:amz|goog)-signature|access_token)(?:=|%3d)/i
const SECRET = /^(?:sig|code|x-(?:amz|goog)-signature|access_token)(?:=|%3d)/i
const SEPARATOR = /([?&;#\s"']|%3f|%26)/i

/**
 * The text without them; undefined where there is none.
 * `code=` counts in a query alone: partitions of a path and words are called so too.
 * @example withoutSecrets('https://a.example/x.tif?sig=abc&v=1') // 'https://a.example/x.tif?v=1'
 */
export function withoutSecrets(text: string): string | undefined {
  if (!/[=@]|%3d/i.test(text)) return undefined
  const clean = text.replace(ACCOUNT, '').replace(USER_INFO, '://')
  const whole = PARAMETER.test(clean) ? withoutParameters(clean) : clean
  return whole === text ? undefined : whole
}

const opensQuery = (separator: string): boolean => separator === '?' || separator.toLowerCase() === '%3f'
const joinsQuery = (separator: string): boolean => separator === '&' || separator === '%26'

/** Piece by piece and once: a pattern over the whole text overflows the stack of regular expressions at ten million characters. */
function withoutParameters(text: string): string {
  const pieces = text.split(SEPARATOR)
  const kept = [isSecret('', pieces[0] as string) ? '' : (pieces[0] as string)]
  let opened = ''
  for (let i = 1; i < pieces.length; i += 2) {
    const [separator, piece] = [pieces[i] as string, pieces[i + 1] as string]
    if (isSecret(separator, piece)) {
      if (opensQuery(separator)) opened = separator
      else if (/\s|["']/.test(separator)) kept.push(separator)
    } else {
      kept.push(opened && joinsQuery(separator) ? opened : separator, piece)
      opened = ''
    }
  }
  return kept.join('')
}

function isSecret(separator: string, piece: string): boolean {
  if (!SECRET.test(piece)) return false
  return opensQuery(separator) || joinsQuery(separator) || !/^code/i.test(piece)
}

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
