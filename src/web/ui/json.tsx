// A value as the text that it is.
import type { JSX } from 'preact'

export function JsonText({ value, label }: { readonly value: unknown; readonly label: string }): JSX.Element {
  return (
    // A long text scrolls, so that the keyboard must reach it.
    <pre class="json" tabIndex={0} role="region" aria-label={label}>
      {JSON.stringify(value, null, 2) ?? 'null'}
    </pre>
  )
}
