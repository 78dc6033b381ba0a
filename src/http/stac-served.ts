// What all answers of the catalogue share: the address of their links, media types, ETags.
import { createHash } from 'node:crypto'
import type { Served } from '../stac/documents.ts'
import type { Resources } from '../platform/resources.ts'
import { tagsOf } from './conditional.ts'
import type { Answer, Call } from './route.ts'

export const GEOJSON = 'application/geo+json'
export const JSON_TYPE = 'application/json'
export const SCHEMA_TYPE = 'application/schema+json'

type Asked = Pick<Call<unknown, unknown, unknown>, 'headers' | 'url' | 'r'>

/** PUBLIC_BASE_URL, else the forwarded address where proxies are trusted, else that of the request. */
export function servedAt({ headers, url, r }: Asked): Served {
  return {
    api: `${originOf(headers, url, r)}/api`,
    blobUrl: r.config.STAC_ASSET_HREF === 'blob' ? (container, blob) => r.blobs.plainUrl({ container, blob }) : undefined,
  }
}

function originOf(headers: Asked['headers'], url: URL, { config }: Resources): string {
  if (config.PUBLIC_BASE_URL) return config.PUBLIC_BASE_URL.replace(/\/+$/, '')
  const host = config.TRUST_PROXY === 'true' ? headers.get('x-forwarded-host')?.split(',')[0]?.trim() : undefined
  if (!host || !/^[A-Za-z0-9.-]+(?::\d+)?$/.test(host)) return url.origin
  const protocol = headers.get('x-forwarded-proto')?.split(',')[0]?.trim()
  return `${protocol === 'http' ? 'http' : 'https'}://${host}`
}

/** A document with an ETag of its content; 304 when the caller has it. */
export function documentAnswer(headers: Asked['headers'], body: unknown, contentType = JSON_TYPE): Answer {
  const etag = `"${createHash('sha256').update(JSON.stringify(body)).digest('base64url').slice(0, 24)}"`
  const common = { etag, 'cache-control': 'private, max-age=0, must-revalidate', 'content-type': contentType }
  if (tagsOf(headers.get('if-none-match')).includes(etag)) return { status: 304, headers: common, body: undefined }
  return { headers: common, body }
}
