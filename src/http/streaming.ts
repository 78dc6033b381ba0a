// Bodies of downloads go through as streams; without this the library would hold each whole in memory.
import { app } from '@azure/functions'

app.setup({ enableHttpStream: true })
