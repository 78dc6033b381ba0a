// Child process around Azurite: a closed channel, and the word "stop", become the SIGTERM that it listens for.
import { createRequire } from 'node:module'

const stop = (): void => void process.emit('SIGTERM')
process.on('message', stop)
process.on('disconnect', stop)
// Else the open channel keeps a closed Azurite alive until it is killed, 5 s later.
process.channel?.unref()
// Azurite reads its own flags from argv.
createRequire(import.meta.url)('azurite/dist/src/blob/main.js')
