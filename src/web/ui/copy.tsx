// A short text that stands for a long one, which a button copies.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { Icon } from './icon.tsx'

export function CopyButton({ text, what }: { readonly text: string; readonly what: string }): JSX.Element {
  const [said, say] = useState('')
  const copy = (): void => {
    // Without TLS browsers have no clipboard: then the text is shown to be copied by hand.
    const done = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'))
    done.then(
      () => say('copied'),
      () => say(text),
    )
  }
  return (
    <>
      <button type="button" class="quiet small" onClick={copy} title={`Copy ${what}`} aria-label={`Copy ${what} ${text}`}>
        <Icon name="copy" />
      </button>
      <span class="said" role="status">
        {said}
      </span>
    </>
  )
}
