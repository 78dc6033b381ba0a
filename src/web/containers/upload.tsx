// Puts files of this machine into a folder of a container.
import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { api, namePath } from '../api.ts'
import { bytes } from '../format.ts'
import { asApiError } from '../hooks.ts'

/** What the server takes in one request. */
const MOST_BYTES = 16 * 1024 * 1024

export interface UploadProps {
  readonly container: string
  readonly prefix: string
  readonly onDone: () => void
}

export function Upload({ container, prefix, onDone }: UploadProps): JSX.Element {
  const [said, say] = useState<readonly string[]>([])
  const [busy, setBusy] = useState(false)
  const input = useRef<HTMLInputElement>(null)
  const take = async (files: FileList | null): Promise<void> => {
    setBusy(true)
    const lines: string[] = []
    for (const file of files ?? []) {
      lines.push(await put(container, `${prefix}${file.name}`, file))
      say([...lines])
    }
    setBusy(false)
    if (input.current) input.current.value = ''
    onDone()
  }
  return (
    <div class="upload">
      <label class={`button ${busy ? 'busy' : ''}`}>
        {busy ? 'Uploading …' : 'Upload files here'}
        <input
          ref={input}
          type="file"
          multiple
          disabled={busy}
          class="hidden"
          onChange={(event) => void take(event.currentTarget.files)}
        />
      </label>
      <div class="plain" role="status">
        {said.map((line) => (
          <p key={line}>{line}</p>
        ))}
      </div>
    </div>
  )
}

/** A sentence of how it went. A file that is there already stays: nobody means to replace it by a click. */
async function put(container: string, name: string, file: File): Promise<string> {
  if (file.size > MOST_BYTES) return `${name}: ${bytes(file.size)} is more than the ${bytes(MOST_BYTES)} that an upload may have.`
  try {
    const headers = { 'content-type': file.type || 'application/octet-stream' }
    await api(`containers/${container}/blobs/${namePath(name)}`, { method: 'PUT', file, headers })
    return `${name}: uploaded, ${bytes(file.size)}.`
  } catch (cause) {
    return `${name}: ${asApiError(cause).message}`
  }
}
