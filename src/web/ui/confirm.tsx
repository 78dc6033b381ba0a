// A question with one answer: what will be done, the order, and in the same place what the server refused.
import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ApiError } from '../api.ts'
import { asApiError } from '../hooks.ts'
import { Dialog } from './dialog.tsx'
import { ErrorNotice } from './notice.tsx'

export interface ConfirmProps {
  readonly title: string
  /** Of the button that gives the order. */
  readonly label: string
  readonly isDanger?: boolean
  /** Whether everything that the order needs is filled in. */
  readonly isReady?: boolean
  readonly children: ComponentChildren
  /** Closed when it is done. @throws what is shown */
  readonly order: () => Promise<unknown>
  readonly onClose: () => void
}

export function Confirm({ title, label, isDanger = false, isReady = true, children, order, onClose }: ConfirmProps): JSX.Element {
  const [error, setError] = useState<ApiError>()
  const [busy, setBusy] = useState(false)
  const give = async (): Promise<void> => {
    setBusy(true)
    try {
      await order()
      onClose()
    } catch (cause) {
      setError(asApiError(cause))
      setBusy(false)
    }
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={(event) => (event.preventDefault(), void give())}>
        {children}
        {error && <ErrorNotice error={error} />}
        <div class="buttons">
          <button type="submit" class={isDanger ? 'danger' : 'primary'} disabled={busy || !isReady}>
            {label}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
