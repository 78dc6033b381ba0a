// Requests and answers of the management API without anything of a web server; its error bodies.

/** A request below the API's root. */
export interface ApiRequest {
  readonly method: string
  /** Decoded segments below the root, e.g. ['instances', 'abc', 'terminate']. */
  readonly path: readonly string[]
  readonly query: URLSearchParams
  readonly href: string
  /** Scheme and authority as the client sees them: links in answers start with it. */
  readonly origin: string
  readonly contentType: string
  /** `x-ms-continuation-token` of the request. */
  readonly continuation: string
  /** Came over the port that only the app's client knows. */
  readonly rpc: boolean
  readonly body: () => Promise<string>
}

export interface ApiReply {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly body?: unknown
}

export const UNSUPPORTED = 'not supported by the local host'

export const message = (status: number, text: string): ApiReply => ({ status, body: { Message: text } })

const MESSAGES: Record<number, string> = {
  400: 'One or more of the arguments submitted is incorrect',
  500: 'Something went wrong while processing your request',
}

/** An error with the members of a .NET exception. */
export const problem = (status: number, text: string, type: string, title = MESSAGES[status] ?? ''): ApiReply => ({
  status,
  body: { Message: title, ExceptionMessage: text, ExceptionType: type, StackTrace: '' },
})

/** Checks that a text is JSON; the text itself travels on, with every digit and space that it was written with. */
export function parseJson(text: string): { readonly text: string } | { readonly problem: ApiReply } {
  try {
    JSON.parse(text)
    return { text }
  } catch (error) {
    const empty = "Error reading JToken from JsonReader. Path '', line 0, position 0."
    const why = text === '' ? empty : error instanceof Error ? error.message : String(error)
    return { problem: problem(400, why, 'Newtonsoft.Json.JsonReaderException', 'Invalid JSON content') }
  }
}
