// What goes out to a webhook, and what comes back: the seam between the engine and whoever sends.

/** @see https://www.standardwebhooks.com: id, timestamp and signature are its headers */
export interface WebhookMessage {
  readonly url: string
  readonly secret_name: string
  /** The same for every try. */
  readonly id: string
  /** JSON text. */
  readonly body: string
}

export interface WebhookAnswer {
  /** HTTP status; null: there was no answer. */
  readonly status: number | null
  /** Null: taken. Else why not, in a sentence without secrets. */
  readonly error: string | null
  /** The receiver says that it wants no more of this: 410. */
  readonly isGone: boolean
  /** What the receiver asks for. */
  readonly retryAfterMs: number | undefined
}

export interface WebhookSender {
  /** Never throws: what goes wrong is the answer. */
  send(message: WebhookMessage): Promise<WebhookAnswer>
  /** Why messages may not go to this address; undefined: they may. */
  problemOf(url: string): string | undefined
}
