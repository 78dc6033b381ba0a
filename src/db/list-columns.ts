// What lists select of large columns: a value that is small, or nothing and its name in `cut`; the rest is read one by one.

/** Characters of a JSON value or text in a list. */
const LIST_CHARACTERS = 300

export interface Columns {
  /** Columns as they are. */
  readonly plain: readonly string[]
  /** jsonb columns: null when longer. */
  readonly json: readonly string[]
  /** text columns: their beginning when longer. */
  readonly text: readonly string[]
}

/** A row of a list: names of the members that were left out or shortened, when there are any. */
export interface ListRow {
  readonly cut?: readonly string[] | null | undefined
}

const isLong = (column: string): string => `length(${column}::text) > ${LIST_CHARACTERS}`
const nameOf = (column: string): string => column.slice(column.indexOf('.') + 1)

/** The select list of whole rows. */
export const wholeColumns = ({ plain, json, text }: Columns): string => [...plain, ...json, ...text].join(', ')

/** The select list of a list's rows. */
export function cutColumns({ plain, json, text }: Columns): string {
  const cut = [...json, ...text].map((c) => `CASE WHEN ${isLong(c)} THEN '${nameOf(c)}' END`)
  return [
    ...plain,
    ...json.map((c) => `CASE WHEN ${isLong(c)} THEN NULL ELSE ${c} END AS ${nameOf(c)}`),
    ...text.map((c) => `CASE WHEN ${isLong(c)} THEN left(${c}, ${LIST_CHARACTERS - 1}) || '…' ELSE ${c} END AS ${nameOf(c)}`),
    `nullif(array_remove(ARRAY[${cut.join(', ')}], NULL), '{}') AS cut`,
  ].join(', ')
}
