// Icons as lines on a grid of 16: drawn here, so that no font and no picture is loaded.
import type { JSX } from 'preact'

const PATHS = {
  clock: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 5v3l2 1.5',
  play: 'M5 3.5v9l7-4.5z',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  check: 'M3 8.5l3.5 3.5L13 4.5',
  warning: 'M8 2.5L14.5 13.5h-13zM8 6.5v3.2M8 11.4v.6',
  cross: 'M4 4l8 8M12 4l-8 8',
  stop: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM4 4l8 8',
  skip: 'M3 4l5 4-5 4zM9 4l5 4-5 4z',
  retry: 'M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3',
  copy: 'M5.5 5.5h8v8h-8zM3.5 10.5h-1v-8h8v1',
  sun: 'M8 10.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM8 1.5v1.5M8 13v1.5M1.5 8H3M13 8h1.5M3.4 3.4l1 1M11.6 11.6l1 1M3.4 12.6l1-1M11.6 4.4l1-1',
  moon: 'M13 9.5A5.5 5.5 0 1 1 6.5 3 4.5 4.5 0 0 0 13 9.5z',
  screen: 'M2 3h12v8H2zM6 13.5h4',
  folder: 'M2 4h4l1.5 1.5H14V12.5H2z',
  file: 'M4 2h5l3 3v9H4zM9 2v3h3',
  open: 'M9 3h4v4M13 3L7.5 8.5M11 9.5V13H3V5h3.5',
} as const

export type IconName = keyof typeof PATHS

/** Beside a word that says the same: it is hidden from screen readers. */
export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  )
}
