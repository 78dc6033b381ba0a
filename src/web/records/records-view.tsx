// The list of records that operators make by name, a page at a time, and the form of a new one.
import type { ComponentChildren, JSX } from 'preact'
import { type Address, address, changed } from '../address.ts'
import { api, query } from '../api.ts'
import { useLoad, useRole } from '../hooks.ts'
import { Empty, Shown } from '../ui/notice.tsx'
import { ReloadButton } from '../ui/reload.tsx'

const PAGE = 100

export interface RecordsProps<T> {
  readonly at: Address
  /** Name of the route, of the member of its answer and of the view, such as `schedules`. */
  readonly path: string
  /** Of one of them, such as `schedule`. */
  readonly one: string
  /** What they are for; shown while there are none. */
  readonly purpose: string
  readonly form: () => JSX.Element
  readonly table: (records: readonly T[]) => ComponentChildren
}

export function RecordsView<T>(props: RecordsProps<T>): JSX.Element {
  const { at, path, one, form } = props
  const isOperator = useRole('operator')
  if (!at.query.has('new')) return <Records {...props} isOperator={isOperator} />
  return (
    <>
      <nav class="crumbs" aria-label="Where this is">
        <a href={address([path])}>{titled(path)}</a>
      </nav>
      <div class="heading">
        <h1>New {one}</h1>
      </div>
      {isOperator ? form() : <Empty title={`${titled(path)} are made by the role operator.`} />}
    </>
  )
}

type RecordPage<T> = { readonly [name: string]: readonly T[] } & { readonly next?: string }

function Records<T>({
  at,
  path,
  one,
  purpose,
  table,
  isOperator,
}: RecordsProps<T> & { readonly isOperator: boolean }): JSX.Element {
  const next = at.query.get('next') ?? undefined
  const url = `${path}${query({ limit: PAGE, next })}`
  const load = useLoad(url, (signal) => api<RecordPage<T>>(url, { signal }))
  const recordsOf = (page: RecordPage<T>): readonly T[] => page[path] ?? []
  const makeNew = isOperator && <NewButton path={path} one={one} />
  return (
    <>
      <div class="heading">
        <h1>{titled(path)}</h1>
        <span class="tools">
          <ReloadButton onClick={load.reload} />
          {load.data !== undefined && recordsOf(load.data).length > 0 && makeNew}
        </span>
      </div>
      <Shown loaded={load}>
        {(page) =>
          recordsOf(page).length === 0 ? (
            <Empty title={`No ${path} yet.`}>
              <p>{purpose}</p>
              {makeNew}
            </Empty>
          ) : (
            <>
              {table(recordsOf(page))}
              <Pages at={at} of={path} next={page.next} />
            </>
          )
        }
      </Shown>
    </>
  )
}

const NewButton = ({ path, one }: { readonly path: string; readonly one: string }): JSX.Element => (
  <a class="button primary" href={address([path], { new: 1 })}>
    New {one}
  </a>
)

const Pages = ({
  at,
  of,
  next,
}: {
  readonly at: Address
  readonly of: string
  readonly next: string | undefined
}): JSX.Element => (
  <nav class="pages" aria-label={`Pages of ${of}`}>
    {at.query.has('next') && <a href={changed(at, { next: undefined })}>First</a>}
    {next !== undefined && <a href={changed(at, { next })}>Next</a>}
  </nav>
)

const titled = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1)
