// Rules for app code that hold on the real host too: the one table of codes and sentences.

/** Code → whether `--traps error` fails the orchestration for it, and the rule's sentence. */
export const TRAPS = {
  'trap.reused-task': [true, 'A task that was yielded once must not go into a second Task.any or Task.all: ids drift'],
  'trap.retry-in-compound': [
    true,
    'A call with retry must not fail inside Task.all or Task.any: later ids shift; yield it alone',
  ],
  'trap.retry-timeout': [true, 'Do not set retryTimeoutInMilliseconds: when it passes, the instance stays Running for ever'],
  'trap.bare-string': [true, 'Inputs and outputs are objects, never bare strings: strings are rewritten on the way'],
  'trap.secret-text': [
    true,
    'Do not let secrets travel: the host rewrites such text, and a failing orchestrator loses its error',
  ],
  'trap.nondeterminism': [true, 'Orchestrators take time, ids and waits from context.df only: each replay takes the same way'],
  'trap.empty-error': [true, 'Throw Errors with a message: without one the instance stays Running for ever'],
  'trap.unknown-function': [true, 'Register the function under this name: the real instance stays Running for ever'],
  'trap.open-tasks': [false, 'Cancel timers that lost a race and await every call: the instance ends only after all of them'],
  'trap.payload-size': [false, 'Keep payloads below 1 KB and pass references: the whole history travels at every replay'],
  'trap.history-size': [false, 'Call continueAsNew before an execution has 500 activities: every replay carries all of them'],
  'trap.timestamp-key': [false, 'Do not name a property Timestamp in an input: the SDK turns it into a Date'],
  'trap.event-lost': [false, 'Await external events before the execution ends: what nobody awaited is lost'],
  'trap.replay-log': [false, 'Guard logs by context.df.isReplaying: they repeat at every replay'],
  'trap.id': [
    false,
    'Instance IDs match [A-Za-z0-9_:-]{1,100} and are checked before every client call: URLs take them as they are',
  ],
  'trap.id-reuse': [false, 'A start under the ID of an ended instance replaces it silently: let the database decide'],
  'trap.list-all': [false, 'getStatusAll and getStatusBy load every page: lists come from the database'],
  'trap.purge-live': [false, 'Purge with terminal statuses and a window of creation time: otherwise running instances go too'],
  'trap.blocked-loop': [false, 'CPU work goes to worker threads: a blocked event loop stops every function of the process'],
  'trap.http-throw': [false, 'With streaming always return a response: the real host answers 500 only after 240 s'],
  'trap.http-hang': [
    false,
    "Set languageWorkers__node__arguments=--max-http-header-size=65536: what the worker's HTTP server refuses is never answered, and after functionTimeout the worker is restarted with all that runs",
  ],
  'trap.route-overlap': [
    false,
    'Routes are asked by function name, not by how special they are: let templates not overlap, or name the general one last',
  ],
  'worker.death-loop': [false, 'An activity that kills its worker is repeated for ever: count its claims'],
} as const satisfies Record<string, readonly [boolean, string]>
export type TrapCode = keyof typeof TRAPS

export interface Finding {
  readonly code: TrapCode
  readonly detail: string
}
