// Where the recordings and the apps are.
import { join } from 'node:path'

/** The absolute path of a fixture. */
export const fixture = (name: string): string => join(import.meta.dirname, '../fixtures', name)
