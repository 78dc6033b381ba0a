// Begins the page.
import { render } from 'preact'
import './style.css'
import { App } from './app.tsx'
import { showTheme } from './theme.ts'

showTheme()
const root = document.getElementById('app')
if (root) render(<App />, root)
