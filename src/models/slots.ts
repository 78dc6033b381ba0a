// A bounded number of places for work of this process.
export interface Slots {
  /** Waits for a place, at most `ms`. @returns what gives it back, or undefined when none became free */
  take(ms: number): Promise<(() => void) | undefined>
}
