// Every error code of the product: status, whether a repeat may help, what it means and what to do. docs/error-codes.md is made from it.

/** What a code says about an error. `sqlstate`: the state that SQL functions raise for it. */
export interface ErrorFacts {
  readonly status: number
  readonly retryable: boolean
  readonly meaning: string
  readonly remedy: string
  readonly sqlstate?: string
}

const facts = (status: number, retryable: boolean, meaning: string, remedy: string, sqlstate?: string): ErrorFacts => ({
  status,
  retryable,
  meaning,
  remedy,
  ...(sqlstate ? { sqlstate } : {}),
})

export const ERROR_CODES = {
  INVALID_JSON: facts(400, false, 'The body is not JSON.', 'Send a JSON object.'),
  INVALID_PARAMETERS: facts(400, false, 'Parameters break the schema; issues[] names each path.', 'Correct the named fields.'),
  INVALID_QUERY: facts(400, false, 'A query parameter is unknown or out of its range.', 'Correct the named parameter.'),
  INVALID_ID: facts(400, false, 'A job id is not 64 lower-case hex digits.', 'Use the job_id that submit answered.'),
  INVALID_NAME: facts(400, false, 'A container, blob or key name breaks the rules.', 'Use a legal name.'),
  INVALID_METADATA: facts(
    400,
    false,
    'Blob metadata breaks the rules of the service.',
    'Use identifiers as keys and printable ASCII values, 8 KB in all.',
  ),
  INVALID_CURSOR: facts(400, false, 'The paging cursor belongs to another query or is damaged.', 'Start again without next.'),
  NOT_ACCEPTABLE: facts(
    406,
    false,
    'The file is of another type than Accept asks for.',
    'Ask for the type that the message names.',
  ),
  UNSUPPORTED_MEDIA_TYPE: facts(415, false, 'The body is not application/json.', 'Send content-type: application/json.'),
  BODY_TOO_LARGE: facts(413, false, 'The body is larger than the route takes.', 'Send less.'),
  PARAMETERS_TOO_LARGE: facts(
    413,
    false,
    'The parameters have more than 16 KB as JSON.',
    'Put large lists into a blob and name it.',
  ),
  BODY_TOO_SLOW: facts(
    408,
    false,
    'The body did not arrive within 30 s.',
    'Send it again; large files go to storage with a signature.',
  ),
  FOREIGN_ORIGIN: facts(
    403,
    false,
    'A browser sent this for a page of another origin; such pages may change nothing.',
    'Call from a page of this origin, or from a program.',
  ),
  UNAUTHENTICATED: facts(401, false, 'The caller is not known.', 'Sign in; see AUTH_MODE in docs/operations.md.'),
  ROLE_MISSING: facts(403, false, 'The caller lacks the role that the message names.', 'Ask an administrator for the role.'),
  CONTAINER_READ_ONLY: facts(403, false, 'This container is never written.', 'Write to the silver or gold container.'),
  CONTAINER_NOT_ALLOWED: facts(
    403,
    false,
    'The container is not on the allow-list.',
    'Ask an operator to extend ALLOWED_CONTAINERS.',
  ),
  STORAGE_FORBIDDEN: facts(403, false, 'The storage account refused the identity.', 'Grant the role that the message names.'),
  ROUTE_NOT_FOUND: facts(404, false, 'No such resource.', 'See GET /api/job-types and the README.'),
  JOB_TYPE_UNKNOWN: facts(404, false, 'No job type has this name.', 'GET /api/job-types lists them.'),
  JOB_NOT_FOUND: facts(404, false, 'No job has this id.', 'GET /api/jobs lists jobs.', 'LL001'),
  STAGE_NOT_FOUND: facts(
    404,
    false,
    'The job has no such stage, or it is not its current one.',
    'Use a stage number of the job.',
    'LL002',
  ),
  TASK_NOT_FOUND: facts(404, false, 'The stage has no task with this key.', 'GET /api/jobs/{id}/tasks lists them.'),
  CONTAINER_NOT_FOUND: facts(404, false, 'The container does not exist.', 'Create it or correct the name.'),
  INVENTORY_NOT_FOUND: facts(404, false, 'No finished inventory has this job id and attempt.', 'Run inventory_container first.'),
  BLOB_NOT_FOUND: facts(404, false, 'The blob does not exist (any more).', 'Check the name; list the container again.'),
  METHOD_NOT_ALLOWED: facts(405, false, 'The resource does not know this method.', 'Use a method of the Allow header.'),
  ATTEMPT_SUPERSEDED: facts(409, false, 'A newer attempt of the job took over.', 'Nothing: the newer run goes on.', 'LL003'),
  ILLEGAL_STATE: facts(409, false, 'The job is in a state that does not allow this.', 'Look at its status.', 'LL004'),
  BLOB_EXISTS: facts(409, false, 'A blob of this name is there already.', 'Choose another name or overwrite.'),
  BLOB_CHANGED: facts(412, false, 'The blob was replaced since its ETag was read.', 'Read it again.'),
  BLOB_ARCHIVED: facts(
    409,
    false,
    'The blob is in the archive tier: its properties can be read, its bytes cannot.',
    'Set its tier to hot, cool or cold and wait until it is brought back (hours).',
  ),
  BLOB_LEASED: facts(
    409,
    false,
    'Another program holds a lease on the blob or container.',
    'Wait for the lease to end, or break it.',
  ),
  BLOB_IMMUTABLE: facts(
    409,
    false,
    'A policy or legal hold keeps the blob as it is.',
    'Write under another name, or ask who set the policy.',
  ),
  BLOB_HAS_SNAPSHOTS: facts(409, false, 'The blob has snapshots, which a deletion must name.', 'Delete them with the blob.'),
  STORAGE_UNSUPPORTED: facts(
    409,
    false,
    'The storage account does not have this feature, e.g. index tags with a hierarchical namespace.',
    'Do without it, or use another account.',
  ),
  RANGE_NOT_SATISFIABLE: facts(416, false, 'The range lies beyond the end of the blob.', 'Ask for a range inside it.'),
  BLOB_TOO_LARGE: facts(413, false, 'The blob is larger than the caller allowed.', 'Read it in ranges.'),
  CONTAINER_TOO_LARGE: facts(
    422,
    false,
    'More files match than max_files allows.',
    'Narrow it, raise max_files or allow truncation.',
  ),
  DUPLICATE_TASK_KEY: facts(500, false, 'A plan yields one key twice in a stage.', 'Make the keys of the plan unique.', 'LL005'),
  STAGE_SEALED: facts(500, false, 'Tasks were added after the seal.', 'Report it: the planner is at fault.', 'LL006'),
  PLAN_GAP: facts(500, false, 'A planning batch does not join the stored plan.', 'Resume at the recorded cursor.', 'LL007'),
  WRONG_ISOLATION: facts(500, false, 'The transaction is not READ COMMITTED.', 'Use the default isolation.', 'LL010'),
  TWO_STAGES: facts(500, false, 'One transaction asked to close two stages.', 'Use one transaction per stage.', 'LL011'),
  UNCOMMITTED_RESULTS: facts(500, false, 'Closing was asked before the results were committed.', 'Commit first.', 'LL012'),
  OUTCOME_INVALID: facts(
    500,
    false,
    'A worker gave an outcome other than completed, failed or skipped.',
    'Report a failure with retryable: the database decides about another try.',
    'LL013',
  ),
  RESULT_INVALID: facts(500, false, 'A task returned a result that breaks its schema.', 'Correct run() or the schema.'),
  TEXT_NOT_STORABLE: facts(
    400,
    false,
    'A text holds NUL or a lone surrogate, which PostgreSQL cannot store.',
    'Remove the character.',
  ),
  PREDECESSOR_MISSING: facts(500, false, 'The task that this one descends from does not exist.', 'Correct source in the plan.'),
  PREDECESSOR_FAILED: facts(
    409,
    false,
    'The task that this one descends from did not complete; it is skipped.',
    'Retry the predecessor.',
  ),
  UNKNOWN_STAGE_IN_CODE: facts(
    500,
    false,
    'The running release has no such job type or stage.',
    'Deploy the release that knows it.',
  ),
  POISON: facts(500, false, 'Claims are used up: each worker died or lost its lease.', 'Find out what kills it, then requeue.'),
  STAGE_FAILED: facts(500, false, 'Another task of the stage failed before this one began.', 'Retry the job: it is tried too.'),
  POISON_DISCARDED: facts(500, false, 'An operator gave the poisoned task up.', 'Nothing; run the job again to redo it.'),
  TASK_TIMEOUT: facts(504, true, 'A task ran longer than its stage allows.', 'Raise timeout or make tasks smaller.'),
  TASK_ABORTED: facts(503, true, 'The worker was stopped while the task ran.', 'Nothing: it is claimed again.'),
  TASK_FAILED: facts(500, false, 'A task threw an error without a code.', 'See error_details.'),
  PLAN_FAILED: facts(500, false, 'A plan threw an error without a code.', 'See error_details.'),
  CONSTRAINT_VIOLATED: facts(
    500,
    false,
    'A row breaks a constraint that the message names.',
    'Report it: validation let it pass.',
  ),
  DEPENDENCY_OPEN: facts(
    503,
    true,
    'A dependency is known to be down; nothing is sent to it.',
    'Wait; work goes on when it is back.',
  ),
  STORAGE_UNAVAILABLE: facts(503, true, 'Blob storage is unreachable or throttles.', 'Wait; the call is repeated.'),
  STORAGE_ERROR: facts(502, false, 'Blob storage answered with an unexpected error.', 'See the service code in the message.'),
  NAME_ESCAPES_CONTAINER: facts(
    500,
    false,
    'A blob name would have left its container.',
    'Report it: name validation was bypassed.',
  ),
  DATABASE_UNAVAILABLE: facts(503, true, 'Postgres cannot be reached.', 'Wait; work goes on when it is back.'),
  DATABASE_BUSY: facts(503, true, 'No connection or lock became free in time.', 'Repeat after Retry-After.'),
  DATABASE_ERROR: facts(500, false, 'Postgres refused a statement.', 'See the log under the request id.'),
  DURABLE_UNAVAILABLE: facts(
    503,
    true,
    'The orchestration client could not start or ask for an instance.',
    'Repeat; a submitted job is repaired by itself.',
  ),
  CONFIG_INVALID: facts(503, false, 'Settings are missing or wrong; the message names all.', 'Set them and restart.'),
  INTERNAL: facts(
    500,
    false,
    'An unexpected error; details are in the log under the request id.',
    'Report it with the request id.',
  ),
} as const satisfies Record<string, ErrorFacts>

export type ErrorCode = keyof typeof ERROR_CODES
