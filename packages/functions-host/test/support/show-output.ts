// For vitest's `setupFiles`: what hosts and workers printed during a test is shown when it fails.
import { afterEach } from 'vitest'
import { takeOutput } from '../../src/testing/kept-output.ts'

afterEach(({ task }) => {
  const text = takeOutput()
  if (task.result?.state === 'fail' && text) console.error(text)
})
