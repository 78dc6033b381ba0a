// The monitor page: static files that the build makes, beside the bundle. Like liveness, they are served also where a setting is wrong.
import { readdir, readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { HttpRequest, HttpResponseInit } from '@azure/functions'
import { AppError } from '../rules/errors.ts'
import { NOSNIFF, problemAnswer } from './problem.ts'
import { type HttpRow, requestIdOf } from './route.ts'

const FOLDER = new URL('./web/', import.meta.url)
const PAGE = 'index.html'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
}

/** Nothing but this origin's own files: no inline script or style, no frame around the page, no form that leaves it. */
const POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
/** Names carry a hash of what they hold. */
const FOR_EVER = 'public, max-age=31536000, immutable'

interface Stored {
  readonly plain: Uint8Array
  readonly packed: Uint8Array
}

const pack = promisify(gzip)
let files: Promise<ReadonlyMap<string, Stored>> | undefined

/** All of them, packed once: a third of the bytes. Nothing else can be named, so that no name leads out of the folder. */
async function readFiles(): Promise<ReadonlyMap<string, Stored>> {
  const names = (await readdir(FOLDER)).filter((name) => extname(name) in TYPES)
  return new Map(
    await Promise.all(
      names.map(async (name) => {
        const plain = await readFile(new URL(name, FOLDER))
        return [name, { plain, packed: await pack(plain) }] as const
      }),
    ),
  )
}

async function fileOf(name: string): Promise<Stored> {
  files ??= readFiles()
  try {
    const found = (await files).get(name)
    if (found) return found
  } catch {
    files = undefined
    throw new AppError('PAGE_FILE_NOT_FOUND', 'The monitor page is not in this package. Build it again: npm run build.')
  }
  throw new AppError(
    'PAGE_FILE_NOT_FOUND',
    'The monitor page has no such file. Load the page again: a newer release has other files.',
  )
}

async function answerFile(request: HttpRequest, name: string, cacheControl: string): Promise<HttpResponseInit> {
  const requestId = requestIdOf(request)
  try {
    const { plain, packed } = await fileOf(name)
    const isPacked = /\bgzip\b/.test(request.headers.get('accept-encoding') ?? '')
    return {
      status: 200,
      headers: {
        'content-type': TYPES[extname(name)] ?? '',
        'cache-control': cacheControl,
        'content-security-policy': POLICY,
        vary: 'Accept-Encoding',
        ...(isPacked ? { 'content-encoding': 'gzip' } : {}),
        ...NOSNIFF,
        'x-request-id': requestId,
      },
      body: isPacked ? packed : plain,
    }
  } catch (error) {
    return problemAnswer(error, requestId)
  }
}

const common = { method: 'GET', role: 'anonymous', isCatalogue: false, check: () => undefined } as const

export const monitorRoutes: readonly HttpRow[] = [
  {
    ...common,
    name: 'getMonitorPage',
    summary: 'the monitor page, for a browser',
    path: 'monitor',
    answer: (request) => answerFile(request, PAGE, 'no-store'),
  },
  {
    ...common,
    name: 'getMonitorAsset',
    summary: 'scripts, styles and the land outline of the monitor page',
    path: 'monitor/assets/{file}',
    answer: (request) => answerFile(request, request.params['file'] ?? '', FOR_EVER),
  },
]
