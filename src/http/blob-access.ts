// Ways to a blob's bytes: signatures, GDAL settings, download, upload of small files. Who asked for which signature is an audit row.
import * as z from 'zod'
import { addEvent } from '../db/job-functions.ts'
import { AppError } from '../rules/errors.ts'
import type { SasGrant } from '../models/blob-store.ts'
import { allowedContainers } from '../platform/config.ts'
import type { Resources } from '../platform/resources.ts'
import { gdalAccess } from '../storage/gdal.ts'
import { BlobName, WritableBlobName } from '../storage/names.ts'
import { blobAnswer } from './blob-answer.ts'
import { type Caller, requireRole } from './caller.ts'
import { BlobParams, ContainerParams } from './containers.ts'
import { type Answer, type Call, type HttpRow, route } from './route.ts'

const minutes = z.int().min(1).max(60).default(60)
const SasBody = z.strictObject({
  blob: BlobName.optional(),
  permissions: z.enum(['r', 'rcw', 'rl']).optional(),
  minutes,
})
const SasQuery = z.strictObject({ check: z.enum(['true', 'false']).default('false') })
type SasCall = Call<z.infer<typeof ContainerParams>, z.infer<typeof SasQuery>, z.infer<typeof SasBody>>

/** Answers that carry a signature are kept by nobody. */
const SECRET = { 'cache-control': 'no-store' }

async function sas({ pathParameters: { container }, query, body, caller, r }: SasCall): Promise<Answer> {
  const { blob, minutes: length } = body
  const permissions = body.permissions ?? (blob === undefined ? 'rl' : 'r')
  if (permissions === 'rl' && caller.role !== 'admin' && r.config.AUTH_MODE === 'key')
    throw new AppError(
      'ROLE_MISSING',
      `A signature for a container needs an admin key: POST /api/containers/${container}/container-sas with the master key.`,
    )
  if (permissions !== 'r') requireRole(caller, permissions === 'rl' ? 'admin' : 'operator')
  if (permissions === 'rcw') assertWritable(r, container)
  if ((blob === undefined) !== (permissions === 'rl'))
    throw new AppError('INVALID_PARAMETERS', 'Invalid input: permissions: rl is for a container, r and rcw are for a blob', {
      issues: [{ path: 'permissions', message: 'rl is for a container, r and rcw are for a blob' }],
    })
  if (query.check === 'true' && blob !== undefined) await r.blobs.properties({ container, blob })
  const grant =
    blob === undefined
      ? await r.blobs.createContainerSas(container, { permissions, minutes: length })
      : await r.blobs.createSas({ container, blob }, { permissions, minutes: length })
  await auditSas(r, caller, container, blob, grant)
  const { account: _account, ...answer } = grant
  return { headers: SECRET, body: answer }
}

/** Before the answer leaves: a signature that nobody can account for is not given. The signature itself is in no row. */
export async function auditSas(
  r: Resources,
  caller: Caller,
  container: string,
  blob: string | undefined,
  grant: SasGrant,
): Promise<void> {
  const { permissions, expires_at, kind } = grant
  const data = { container, ...(blob === undefined ? {} : { blob }), permissions, expires_at, kind }
  await addEvent(r.db, { job_id: null, event: 'sas.issued', actor: caller.name, data })
  r.log.info('sas.issued', { actor: caller.name, ...data })
}

const GdalBody = z.strictObject({ minutes })
type BlobCall = Call<z.infer<typeof BlobParams>, object, undefined>

type GdalCall = Call<z.infer<typeof BlobParams>, object, z.infer<typeof GdalBody>>

async function gdal({ pathParameters: { container, path }, body, caller, r }: GdalCall): Promise<Answer> {
  const grant = await r.blobs.createSas({ container, blob: path }, { minutes: body.minutes })
  await auditSas(r, caller, container, path, grant)
  return { headers: SECRET, body: gdalAccess(container, path, grant) }
}

async function download({ pathParameters: { container, path }, headers, caller, r }: BlobCall): Promise<Answer> {
  const answer = await blobAnswer(r, { container, blob: path }, headers)
  // As for a signature: bytes that nobody can account for are not given.
  if (answer.stream)
    await addEvent(r.db, { job_id: null, event: 'blob.downloaded', actor: caller.name, data: { container, blob: path } })
  return answer
}

/** "Small": held in memory once. Larger files go straight to storage with a signature to write. */
const MAX_UPLOAD_BYTES = 16 * 1024 * 1024
const UploadParams = z.object({ container: ContainerParams.shape.container, path: WritableBlobName })
const UploadQuery = z.strictObject({ overwrite: z.enum(['true', 'false']).default('false') })
type UploadCall = Call<z.infer<typeof UploadParams>, z.infer<typeof UploadQuery>, undefined>
const METADATA = 'x-ms-meta-'

async function upload({
  pathParameters: { container, path },
  query,
  headers,
  upload: read,
  caller,
  url,
  r,
}: UploadCall): Promise<Answer> {
  assertWritable(r, container)
  const etag = headers.get('if-match')
  const metadata = Object.fromEntries(
    [...headers.entries()].flatMap(([name, value]) => (name.startsWith(METADATA) ? [[name.slice(METADATA.length), value]] : [])),
  )
  const written = await r.blobs.write(container, path, await read(), {
    mode: etag === null ? (query.overwrite === 'true' ? 'overwrite' : 'create') : 'replace',
    ...(etag === null ? {} : { etag }),
    contentType: headers.get('content-type') ?? 'application/octet-stream',
    metadata,
  })
  const { size, sha256 } = written
  await addEvent(r.db, {
    job_id: null,
    event: 'blob.uploaded',
    actor: caller.name,
    data: { container, blob: path, size, sha256 },
  })
  return { status: 201, headers: { location: `${url.origin}${url.pathname}`, etag: written.etag }, body: written }
}

/** Bronze is what the world delivered: read-only. @throws AppError `CONTAINER_READ_ONLY` */
function assertWritable(r: Resources, container: string): void {
  const { SILVER_CONTAINER, GOLD_CONTAINER } = r.config
  if (!allowedContainers(r.config).has(container) || container === SILVER_CONTAINER || container === GOLD_CONTAINER) return
  throw new AppError(
    'CONTAINER_READ_ONLY',
    `Container '${container}' is read-only; write to ${SILVER_CONTAINER} or ${GOLD_CONTAINER}.`,
  )
}

const ContainerSasBody = z.strictObject({ minutes })

/** Of its own, because only the host knows which key it was called with: this function asks for an admin key. */
async function containerSas(
  call: Call<z.infer<typeof ContainerParams>, object, z.infer<typeof ContainerSasBody>>,
): Promise<Answer> {
  return sas({ ...call, query: { check: 'false' }, body: { minutes: call.body.minutes } })
}

export const blobAccessRoutes: readonly HttpRow[] = [
  route({
    name: 'createSas',
    summary: 'a signature for a blob (`r`; operators `rcw`) or, for administrators, a container (`rl`); 60 minutes at most',
    method: 'POST',
    path: 'containers/{container}/sas',
    role: 'submitter',
    pathParameters: ContainerParams,
    query: SasQuery,
    body: SasBody,
    handle: sas,
  }),
  route({
    name: 'createContainerSas',
    summary: 'a signature to read and list a container; where keys decide, an admin key',
    method: 'POST',
    path: 'containers/{container}/container-sas',
    role: 'admin',
    pathParameters: ContainerParams,
    body: ContainerSasBody,
    handle: containerSas,
  }),
  route({
    name: 'createGdalAccess',
    summary: 'paths and settings to open the blob with GDAL; carries a signature',
    method: 'POST',
    path: 'containers/{container}/gdal/{*path}',
    role: 'submitter',
    pathParameters: BlobParams,
    body: GdalBody,
    handle: gdal,
  }),
  route({
    name: 'downloadBlob',
    summary: 'the bytes; `Range`, `If-Range`, `If-None-Match`',
    method: 'GET',
    path: 'containers/{container}/download/{*path}',
    role: 'submitter',
    pathParameters: BlobParams,
    handle: download,
  }),
  route({
    name: 'uploadBlob',
    summary: 'uploads a file of up to 16 MiB to silver or gold; `If-Match` replaces, `?overwrite=true` overwrites',
    method: 'PUT',
    path: 'containers/{container}/blobs/{*path}',
    role: 'operator',
    pathParameters: UploadParams,
    query: UploadQuery,
    uploadBytes: MAX_UPLOAD_BYTES,
    handle: upload,
  }),
]
