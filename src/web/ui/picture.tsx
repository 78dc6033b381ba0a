// A picture of the API, drawn: an <img> could not send the key, and would need a wider content policy.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { ask, type ApiError } from '../api.ts'
import { asApiError } from '../hooks.ts'

export function Picture({ path, label }: { readonly path: string; readonly label: string }): JSX.Element {
  const ref = useRef<HTMLCanvasElement>(null)
  const [error, setError] = useState<ApiError>()
  useEffect(() => {
    const aborted = new AbortController()
    setError(undefined)
    drawOn(() => ref.current, path, aborted.signal).catch((cause: unknown) => {
      if (!aborted.signal.aborted) setError(asApiError(cause))
    })
    return () => aborted.abort()
  }, [path])
  if (error) return <p class="notice">No picture: {error.message}</p>
  return <canvas ref={ref} class="picture" role="img" aria-label={label} width={1} height={1} />
}

/** @throws ApiError */
export async function drawOn(canvasOf: () => HTMLCanvasElement | null, path: string, signal: AbortSignal): Promise<void> {
  const answer = await ask(path, { signal })
  if (answer.status === 204) return
  const bitmap = await createImageBitmap(await answer.blob())
  const canvas = canvasOf()
  if (canvas && !signal.aborted) {
    canvas.width = bitmap.width
    canvas.height = bitmap.height
    canvas.getContext('2d')?.drawImage(bitmap, 0, 0)
  }
  bitmap.close()
}
