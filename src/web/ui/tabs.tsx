// Views of one thing, as links: each has an address of its own.
import type { JSX } from 'preact'

export interface Tab {
  readonly name: string
  readonly label: string
  readonly href: string
}

export function Tabs({
  tabs,
  current,
  label,
}: {
  readonly tabs: readonly Tab[]
  readonly current: string
  readonly label: string
}): JSX.Element {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map(({ name, label, href }) => (
        <a key={name} href={href} aria-current={name === current ? 'page' : undefined}>
          {label}
        </a>
      ))}
    </nav>
  )
}
