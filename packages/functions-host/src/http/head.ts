// What the real host refuses by the head of a request alone, always with an empty body.
import type { IncomingMessage } from 'node:http'

const LINE_BYTES = 8192
const HEADER_BYTES = 32_768
const HEADER_COUNT = 100
/** Node's own limit for the head: above ours, so that the answers below are ours. */
export const PARSER_BYTES = 2_097_152

const NAME = /^(?:\[[0-9a-f:.]+\]|[^\s:/?#@\\[\]]+)(?::\d{1,5})?$/i
// oxlint-disable-next-line no-control-regex -- every byte of ASCII is meant
const ASCII = /^[\x00-\x7F]*$/

/** Bytes of all header lines with their ends. */
const headerBytes = (raw: readonly string[]): number => raw.reduce((sum, text) => sum + text.length + 2, 0)

/** The status with which the host answers without looking further, or undefined. */
export function refusedHead({ method = '', url = '', headers, rawHeaders }: IncomingMessage): number | undefined {
  if (method.length + url.length + ' '.length + ' HTTP/1.1\r\n'.length > LINE_BYTES) return 414
  if (rawHeaders.length / 2 > HEADER_COUNT || headerBytes(rawHeaders) > HEADER_BYTES) return 431
  if (!ASCII.test(url) || !rawHeaders.every((text) => ASCII.test(text))) return 400
  const hosts = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host')
  if (hosts.length > 1 || (headers.host !== undefined && !(NAME.test(headers.host) && URL.canParse(`http://${headers.host}`))))
    return 400
  if (/%00/.test(url.split('?')[0] ?? '')) return 400
  return targetOf(url, headers.host) === undefined ? 400 : undefined
}

/** Path and query of a request target; a whole URL must name the same host. Undefined when it is neither. */
export function targetOf(url: string, host: string | undefined): string | undefined {
  if (url.startsWith('/')) return url
  const [, authority = '', rest = ''] = /^http:\/\/([^/?#]*)(.*)$/i.exec(url) ?? []
  if (authority === '' || authority.toLowerCase() !== host?.toLowerCase()) return undefined
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** The status for bytes that Node's parser refused. */
export function refusedBytes(error: NodeJS.ErrnoException): number {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408
  return error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400
}
