// What is to be said instead of data: an error with the server's words, that there is nothing, that it is loading.
import type { ComponentChildren, JSX } from 'preact'
import type { ApiError } from '../api.ts'
import type { Loaded } from '../hooks.ts'
import { Icon } from './icon.tsx'

export function ErrorNotice({
  error,
  retry,
}: {
  readonly error: ApiError
  readonly retry?: (() => void) | undefined
}): JSX.Element {
  return (
    <div class="notice bad" role="alert">
      <Icon name="warning" />
      <div>
        <p>{error.message}</p>
        {error.issues.length > 0 && (
          <ul>
            {error.issues.map(({ path, message }) => (
              <li key={path}>
                <code>{path}</code> {message}
              </li>
            ))}
          </ul>
        )}
        <p class="faint">
          {error.code}
          {error.requestId !== null && ` · request ${error.requestId}`}
        </p>
        {retry && (
          <button type="button" onClick={retry}>
            Try again
          </button>
        )}
      </div>
    </div>
  )
}

export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }): JSX.Element {
  return (
    <div class="empty">
      <p class="title">{title}</p>
      {children}
    </div>
  )
}

/** Data as soon as it is there, and what went wrong above it: data that is a little old is better than none. */
export function Shown<T>({
  loaded,
  children,
}: {
  readonly loaded: Loaded<T>
  readonly children: (data: T) => ComponentChildren
}): JSX.Element {
  const { data, error, loading, reload } = loaded
  return (
    <>
      {error && <ErrorNotice error={error} retry={reload} />}
      {data === undefined && !error && loading && (
        <p class="loading" role="status">
          Loading …
        </p>
      )}
      {data !== undefined && children(data)}
    </>
  )
}
