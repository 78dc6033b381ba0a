// What tests of an app on this host need again and again.
export { alive } from './processes.ts'
export { allOutput, keptOutput, takeOutput, tellingOutput } from './kept-output.ts'
export { raw } from './raw-http.ts'
export { until } from './until.ts'
export { replay } from './replay.ts'
export { type Simulation, simulate, type SimulationResult } from './simulate.ts'
