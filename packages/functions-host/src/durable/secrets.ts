// Text that the host takes for a secret: what it finds in exception text it rewrites, and the orchestrator's state travels there.
const MARKS = [
  'key=',
  'Token=',
  'Password=',
  'pwd=',
  'Server=',
  'Data Source=',
  'AccountKey=',
  'SharedAccessKey=',
  '?code=',
  '&code=',
  '?sig=',
  '&sig=',
  'DefaultEndpointsProtocol=http',
]
/** What follows `://` when a user and a password stand in an address. */
const CREDENTIALS = /^[^\s:/"@]{1,100}:[^\s@/"]{1,100}@[^\s:/"]{1,200}:\d/

/** The first mark of a secret in a text, never what follows it; or undefined. */
export function secretIn(text: string): string | undefined {
  const lower = text.toLowerCase()
  const mark = MARKS.find((m) => lower.includes(m.toLowerCase()))
  return mark ?? (hasCredentials(text) ? 'proto://user:pw@host:port' : undefined)
}

/** Looks only behind `://`: linear in the text, however long a word in it is. */
function hasCredentials(text: string): boolean {
  for (let at = text.indexOf('://'); at >= 0; at = text.indexOf('://', at + 3))
    if (CREDENTIALS.test(text.slice(at + 3, at + 410))) return true
  return false
}

/** As the host writes exception text: from a mark up to the next quote or `<`, without case. */
export function hideSecrets(text: string): string {
  let hidden = text
  for (const mark of MARKS) {
    for (let at = find(hidden, mark, 0); at >= 0; at = find(hidden, mark, at + 1)) {
      const end = /["'<]/.exec(hidden.slice(at))
      hidden = `${hidden.slice(0, at)}[Hidden Credential]${end ? hidden.slice(at + end.index) : ''}`
    }
  }
  return hidden
}

const find = (text: string, mark: string, from: number): number => text.toLowerCase().indexOf(mark.toLowerCase(), from)
