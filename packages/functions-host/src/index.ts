// The public face: start the host inside this process or as one of its own, and look at what it would do with an app's routes.
export { type Host, type HostOptions, startHost } from './host.ts'
export { HostStartError, type HostProcess, type HostProcessOptions, startHostProcess } from './host-process.ts'
export type { HostOrder } from './main.ts'
export { WORKER_ARGUMENTS, withWorkerArgument } from './functions/worker-arguments.ts'
export { type Keys, readKeys } from './http/keys.ts'
export { type HttpRoute, httpRoute, inHostOrder, matchRoute } from './http/routes.ts'
export { findOverlaps } from './http/overlaps.ts'
export { TRAPS } from './durable/trap-rules.ts'
