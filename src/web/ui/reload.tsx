// Loads a view again when somebody asks.
import type { JSX } from 'preact'
import { Icon } from './icon.tsx'

export const ReloadButton = ({ onClick }: { readonly onClick: () => void }): JSX.Element => (
  <button type="button" class="quiet" onClick={onClick} aria-label="Load again now" title="Load again now">
    <Icon name="retry" />
  </button>
)
