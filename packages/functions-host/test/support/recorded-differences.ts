// Where this host is allowed to differ from the recordings, each with its reason. README.md lists them for users.

/** Scenarios that are not run at all. */
export const NOT_RUN: Readonly<Record<string, string>> = {
  timers: 'measures how much too early storage queues fire timers (up to 1 s); timers here are never early',
  trapRetryTimeout:
    'how many attempts fit into the retry timeout follows from timers that fire 1 s early; its replays are walked',
  trapRetryAll3: 'which value goes astray follows from which failures share a batch; its replays are walked',
  trapSlide: 'which of equally long activities ends first decides what is started next; its replays are walked',
}

const HTTP = [
  { request: 'GET /:end', reason: 'the home page is another text' },
  { request: '/admin/host/status?', reason: 'only id, state, version and uptime are told' },
  { request: '/admin/functions?', reason: 'name, language and bindings only: no addresses of a portal' },
  { request: '/api/binding', reason: 'the port of the client has a random path, so that no web page reaches it' },
] as const

/** Answers that differ: every request of the scenario that contains the text. */
const ACCEPTED: readonly {
  readonly scenario: string
  readonly request: string
  readonly reason: string
  /** Equal in some runs. */ readonly sometimes?: true
}[] = [
  { scenario: 'clientUnknown', request: '/client/rewind', reason: 'rewind is not supported: 501' },
  { scenario: 'clientUnknown', request: '/client/readEntityState', reason: 'entities are not supported: 501' },
  { scenario: 'clientUnknown', request: '/client/signalEntity', reason: 'entities are not supported: 501' },
  { scenario: 'unknowns', request: '/rewind', reason: 'rewind is not supported: 501' },
  { scenario: 'unknowns', request: '/restart', reason: 'restart is not supported: 501' },
  { scenario: 'unknowns', request: '/entities/', reason: 'entities are not supported: 501' },
  { scenario: 'listing', request: 'createdTimeFrom=bogus', reason: 'which instances exist depends on what ran before' },
  ...['hostHttp', 'hostHttp-stream'].flatMap((scenario) => HTTP.map((difference) => ({ scenario, ...difference }))),
  ...['h-undefined', 'h-throw'].map((name) => ({
    scenario: 'hostHttp-stream',
    request: `/api/${name}`,
    reason: 'a streamed request without an answer ends with 500 at once, not after 240 s',
  })),
  { scenario: 'hostLarge', request: 'POST', reason: 'above 100 MB: 413 instead of an empty 500', sometimes: true },
  { scenario: 'retryAllOk', request: 'showHistory', reason: 'order of concurrent completions', sometimes: true },
]

/** The difference that is accepted for a request, given as method and path, of a scenario. */
export const acceptedFor = (scenario: string, what: string): (typeof ACCEPTED)[number] | undefined =>
  ACCEPTED.find((a) => a.scenario === scenario && `${what}:end`.includes(a.request))

/** Instances whose events come in an order that follows from batches, on the real host too. */
export const UNORDERED: Readonly<Record<string, string>> = {
  allOneFails: 'two activities end at once',
  allOneFailsCaught: 'two activities end at once',
  fan10: 'ten activities end at once',
  fan40: 'forty activities end at once',
  retryAllOk: 'three activities end at once',
  subFan: 'three children end at once',
  trapWindow: 'two activities end at once',
}
