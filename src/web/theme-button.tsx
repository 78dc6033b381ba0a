// Switches between the system's theme, light and dark.
import type { JSX } from 'preact'
import { usePreferences } from './hooks.ts'
import type { Theme } from './preferences.ts'
import { showTheme } from './theme.ts'
import { Icon, type IconName } from './ui/icon.tsx'

const NEXT: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' }
const ICONS: Readonly<Record<Theme, IconName>> = { system: 'screen', light: 'sun', dark: 'moon' }

export function ThemeButton(): JSX.Element {
  const [{ theme }, setPreferences] = usePreferences()
  const label = `Theme: ${theme}. Switch to ${NEXT[theme]}`
  const next = (): void => {
    setPreferences({ theme: NEXT[theme] })
    showTheme()
  }
  return (
    <button type="button" class="quiet" onClick={next} title={label} aria-label={label}>
      <Icon name={ICONS[theme]} />
    </button>
  )
}
