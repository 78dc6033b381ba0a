// Child process around Azurite: a closed channel, and the word "stop", become the SIGTERM that it listens for.
import { createRequire } from 'node:module'

const stop = (): void => void process.emit('SIGTERM')
process.on('message', stop)
process.on('disconnect', stop)
// Azurite reads its own flags from argv.
createRequire(import.meta.url)('azurite/dist/src/blob/main.js')
