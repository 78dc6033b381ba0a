// The Durable engine without HTTP and processes: for tests that replay an app's own orchestrators.
export { type Action, ActionType } from './actions.ts'
export type { CodeAnswer } from './answers.ts'
export { seeded } from './clock.ts'
export { Engine } from './engine.ts'
export type { HistoryEvent } from './events.ts'
export { type EngineOptions, type Instance, isTerminal, type RuntimeStatus } from './instance.ts'
