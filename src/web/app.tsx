// The frame: who is signed in, the views, the theme.
import type { JSX } from 'preact'
import { useCallback, useEffect, useState } from 'preact/hooks'
import { address, type Address } from './address.ts'
import { type ApiError, whenUnknown } from './api.ts'
import { ContainersView } from './containers/containers-view.tsx'
import { asApiError, Caller, useAddress } from './hooks.ts'
import { HealthView } from './health-view.tsx'
import { JobView } from './job/job-view.tsx'
import { JobsView } from './job-list/jobs-view.tsx'
import { LazyMap } from './map/lazy-map.tsx'
import { PoisonView } from './poison-view.tsx'
import { SchedulesView } from './schedules/schedules-view.tsx'
import { credential, signOut } from './session.ts'
import { SignIn } from './sign-in.tsx'
import { SubmitView } from './submit/submit-view.tsx'
import { ThemeButton } from './theme-button.tsx'
import type { Whoami } from './types.ts'
import { WebhooksView } from './webhooks/webhooks-view.tsx'
import { askWho } from './who.ts'
import { Empty, ErrorNotice } from './ui/notice.tsx'

type Session =
  | { kind: 'asking' }
  | { kind: 'unknown'; refused: boolean }
  | { kind: 'error'; error: ApiError }
  | { kind: 'in'; who: Whoami }

export function App(): JSX.Element {
  const [session, setSession] = useState<Session>({ kind: 'asking' })
  const ask = useCallback(() => {
    askWho((who) => setSession({ kind: 'in', who })).catch((cause: unknown) => {
      const error = asApiError(cause)
      setSession(error.status === 401 ? { kind: 'unknown', refused: credential() !== '' } : { kind: 'error', error })
    })
  }, [])
  useEffect(() => {
    // A token ends while the page is open.
    whenUnknown(() => setSession({ kind: 'unknown', refused: credential() !== '' }))
    ask()
  }, [ask])
  if (session.kind === 'unknown') return <SignIn refused={session.refused} onSignedIn={ask} />
  if (session.kind === 'in')
    return (
      <Caller.Provider value={session.who}>
        <Frame
          who={session.who}
          onSignOut={() => {
            signOut()
            setSession({ kind: 'asking' })
            ask()
          }}
        />
      </Caller.Provider>
    )
  return <Waiting session={session} onRetry={ask} onSignOut={() => (signOut(), ask())} />
}

function Waiting({ session, onRetry, onSignOut }: { session: Session; onRetry: () => void; onSignOut: () => void }): JSX.Element {
  return (
    <main class="sign-in">
      {session.kind === 'error' ? (
        <div class="card">
          <h1>Lamplighter</h1>
          <ErrorNotice error={session.error} retry={onRetry} />
          {session.error.status === 403 && (
            <button type="button" onClick={onSignOut}>
              Sign in as somebody else
            </button>
          )}
        </div>
      ) : (
        <p class="loading" role="status">
          Loading …
        </p>
      )}
    </main>
  )
}

const VIEWS = [
  ['jobs', 'Jobs'],
  ['submit', 'Submit'],
  ['schedules', 'Schedules'],
  ['containers', 'Containers'],
  ['map', 'Map'],
  ['webhooks', 'Webhooks'],
  ['poison', 'Poison'],
  ['health', 'Health'],
] as const

function Frame({ who, onSignOut }: { readonly who: Whoami; readonly onSignOut: () => void }): JSX.Element {
  const at = useAddress()
  const view = at.parts[0] ?? 'jobs'
  useTitle(at)
  useEffect(showCurrentView, [view])
  return (
    <>
      <a class="skip" href="#content" onClick={(event) => (event.preventDefault(), document.getElementById('content')?.focus())}>
        Skip to content
      </a>
      <header class="top">
        <a class="brand" href={address(['jobs'])}>
          <Lamp />
          Lamplighter
        </a>
        <nav aria-label="Views">
          {VIEWS.map(([name, label]) => (
            <a key={name} href={address([name])} aria-current={view === name ? 'page' : undefined}>
              {label}
            </a>
          ))}
        </nav>
        <Who who={who} onSignOut={onSignOut} />
      </header>
      <main id="content" tabIndex={-1}>
        <View at={at} />
      </main>
      <footer>
        Release {who.release.version}
        {who.release.commit !== null && ` (${who.release.commit.slice(0, 8)})`} · <a href="./">API</a>
      </footer>
    </>
  )
}

/** On a phone the list of views is wider than the window. Not `scrollIntoView`: the keyboard would begin there. */
function showCurrentView(): void {
  const views = document.querySelector<HTMLElement>('.top nav')
  const current = views?.querySelector<HTMLElement>('[aria-current]')
  if (views && current) views.scrollLeft = current.offsetLeft - views.offsetLeft - (views.clientWidth - current.offsetWidth) / 2
}

const Who = ({ who, onSignOut }: { readonly who: Whoami; readonly onSignOut: () => void }): JSX.Element => (
  <span class="who">
    {who.environment === 'production' && <span class="chip">production</span>}
    <span title={`Signed in as ${who.name}`}>
      <span class="name">{who.name} · </span>
      {who.role}
    </span>
    {credential() !== '' && (
      <button type="button" class="quiet" onClick={onSignOut}>
        Sign out
      </button>
    )}
    <ThemeButton />
  </span>
)

function View({ at }: { readonly at: Address }): JSX.Element {
  const [view = 'jobs', first] = at.parts
  if (view === 'jobs') return first === undefined ? <JobsView at={at} /> : <JobView key={first} id={first} at={at} />
  if (view === 'submit') return <SubmitView at={at} jobType={first} />
  if (view === 'schedules') return <SchedulesView at={at} id={first} />
  if (view === 'webhooks') return <WebhooksView at={at} id={first} />
  if (view === 'containers') return <ContainersView at={at} container={first} />
  if (view === 'map') return <LazyMap at={at} />
  if (view === 'poison') return <PoisonView />
  if (view === 'health') return <HealthView />
  return (
    <Empty title="There is no such view.">
      <a href={address(['jobs'])}>All jobs</a>
    </Empty>
  )
}

function useTitle({ parts }: Address): void {
  const title = [...parts.map((part) => part.slice(0, 40)).reverse(), 'Lamplighter'].join(' · ')
  useEffect(() => {
    document.title = title
  }, [title])
}

const Lamp = (): JSX.Element => (
  <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true" class="lamp">
    <path d="M11 6h10l3 12H8z" class="flame" />
    <path d="M11 18h10v2H11zM14 20h4v6h-4zM11 26h10v2H11z" />
  </svg>
)
