// The theme on the page.
import { preferences } from './preferences.ts'

/** Without a choice the system decides, by the style sheet alone. */
export function showTheme(): void {
  const { theme } = preferences()
  if (theme === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
}
