// A state as a shape and a word; the colour only helps.
import type { JSX } from 'preact'
import { words } from '../format.ts'
import { Icon, type IconName } from './icon.tsx'

const SHAPES: Readonly<Record<string, readonly [icon: IconName, tone: string]>> = {
  queued: ['clock', 'idle'],
  planning: ['clock', 'idle'],
  planned: ['clock', 'idle'],
  processing: ['play', 'busy'],
  open: ['play', 'busy'],
  retrying: ['retry', 'warn'],
  paused: ['pause', 'held'],
  active: ['clock', 'good'],
  started: ['play', 'busy'],
  submitted: ['check', 'good'],
  missed: ['skip', 'warn'],
  refused: ['cross', 'bad'],
  pending: ['clock', 'busy'],
  delivered: ['check', 'good'],
  dead: ['cross', 'bad'],
  completed: ['check', 'good'],
  ok: ['check', 'good'],
  healthy: ['check', 'good'],
  completed_with_errors: ['warning', 'warn'],
  degraded: ['warning', 'warn'],
  attention_needed: ['warning', 'warn'],
  failed: ['cross', 'bad'],
  timeout: ['cross', 'bad'],
  cancelled: ['stop', 'idle'],
  skipped: ['skip', 'idle'],
}

export const toneOf = (status: string): string => SHAPES[status]?.[1] ?? 'idle'

export function Status({ value }: { readonly value: string }): JSX.Element {
  const [icon, tone] = SHAPES[value] ?? ['clock', 'idle']
  return (
    <span class={`status ${tone}`}>
      <Icon name={icon} />
      {words(value)}
    </span>
  )
}
