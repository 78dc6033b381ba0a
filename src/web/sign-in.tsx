// Asks for a key or a token. It is kept in this tab alone.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { signIn } from './session.ts'

export interface SignInProps {
  /** Something was tried and refused. */
  readonly refused: boolean
  readonly onSignedIn: () => void
}

export function SignIn({ refused, onSignedIn }: SignInProps): JSX.Element {
  const [text, setText] = useState('')
  const submit = (event: Event): void => {
    event.preventDefault()
    signIn(text)
    onSignedIn()
  }
  return (
    <main class="sign-in">
      <form onSubmit={submit} class="card">
        <h1>Lamplighter</h1>
        <p>
          This deployment asks who you are. Paste a function key or a bearer token. It stays in this tab: nothing is written to
          disk or into the address.
        </p>
        {refused && (
          <p class="notice bad" role="alert">
            That was refused. A key may be of another app, a token may have ended.
          </p>
        )}
        <label>
          Key or token
          <input
            type="password"
            autocomplete="off"
            spellcheck={false}
            required
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary">
          Sign in
        </button>
        <PlatformSignIn />
      </form>
    </main>
  )
}

/** Of App Service authentication: the platform answers this address, where it is switched on. */
const PlatformSignIn = (): JSX.Element => (
  <p class="faint">
    Where App Service authentication stands before the app,{' '}
    <a href="/.auth/login/aad?post_login_redirect_uri=/api/monitor">sign in there</a>.
  </p>
)
