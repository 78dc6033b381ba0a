// A host in this process whose workers are silent unless a test fails.
import { type Host, type HostOptions, startHost as start } from '../../src/host.ts'
import { keptOutput, tellingOutput } from '../../src/testing/kept-output.ts'

export type { Host }
export const startHost = (options: HostOptions): Promise<Host> => tellingOutput(start({ output: keptOutput(), ...options }))
