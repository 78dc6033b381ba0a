// Requests to the API beside which this page is served.
import { credential, credentialHeader } from './session.ts'
import type { Issue } from './types.ts'

/** What the server refused, in its own words; status 0: it could not be reached. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly issues: readonly Issue[]
  readonly requestId: string | null
  constructor(status: number, problem: { detail?: string; code?: string; issues?: readonly Issue[]; request_id?: string }) {
    super(problem.detail ?? sentenceOf(status))
    this.status = status
    this.code = problem.code ?? (status === 0 ? 'UNREACHABLE' : `HTTP_${status}`)
    this.issues = problem.issues ?? []
    this.requestId = problem.request_id ?? null
  }
}

function sentenceOf(status: number): string {
  if (status === 0) return 'The server does not answer. It may be starting, or the network is away.'
  if (status === 401) return 'This needs a key or a token.'
  return `The server answered ${status} and said nothing more.`
}

export interface Ask {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly body?: unknown
  /** Sent as it is instead of JSON. */
  readonly file?: Blob
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

/** Told when an answer says that whoever asks is not known. */
let onUnknown: () => void = () => undefined
export const whenUnknown = (listener: () => void): void => void (onUnknown = listener)

/** The page stands at `/api/monitor`: everything else of the API is beside it. */
export const apiUrl = (path: string): string => new URL(path, new URL('.', document.baseURI)).href

/** @throws ApiError; DOMException `AbortError` when the signal ends it */
export async function ask(path: string, { method = 'GET', body, file, headers = {}, signal }: Ask = {}): Promise<Response> {
  const answer = await fetch(apiUrl(path), {
    method,
    headers: {
      ...credentialHeader(credential()),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(file ? { body: file } : {}),
    ...(signal ? { signal } : {}),
  }).catch((error: unknown) => {
    throw error instanceof DOMException && error.name === 'AbortError' ? error : new ApiError(0, {})
  })
  // The full report of a failing app is an answer as well.
  if (answer.ok || isReport(answer)) return answer
  if (answer.status === 401) onUnknown()
  throw new ApiError(answer.status, await problemOf(answer))
}

const isReport = (answer: Response): boolean =>
  answer.status === 503 && (answer.headers.get('content-type') ?? '').startsWith('application/json')

async function problemOf(answer: Response): Promise<object> {
  try {
    const value: unknown = await answer.json()
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

/** @throws as {@link ask} */
export async function api<T>(path: string, order: Ask = {}): Promise<T> {
  const answer = await ask(path, order)
  return (answer.status === 204 ? undefined : await answer.json()) as T
}

/** Path of a name with any characters; its slashes stay. */
export const namePath = (name: string): string => name.split('/').map(encodeURIComponent).join('/')

/** A query without what is empty. */
export function query(values: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(values).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)] as [string, string]],
  )
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`
}
