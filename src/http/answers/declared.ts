// How an answer is declared: status, media type, and the shape of its JSON. Members may be added later, so that shapes are open.
import * as z from 'zod'

export interface DeclaredAnswer {
  readonly description: string
  /** Default: application/json. Null: no body. */
  readonly type?: string | null
  /** Of every answer that is JSON. */
  readonly schema?: z.ZodType
}
/** By status. */
export type Answers = Readonly<Record<number, DeclaredAnswer>>
/** By the name of the function. */
export type AnswersByName = Readonly<Record<string, Answers>>

export const GEOJSON = 'application/geo+json'
export const KNOWN: Answers = { 304: { description: 'it is known', type: null } }

/** A moment as it travels. */
export const time = z.iso.datetime({ offset: true })
export const count = z.int().min(0)
export const text = z.string()
export const object = z.looseObject({})
const page = { count, next: text.optional().describe('of the next page; not there on the last one') }

export const json = (description: string, schema: z.ZodType): DeclaredAnswer => ({ description, schema })
/** A 200 with this shape. */
export const found = (description: string, schema: z.ZodType): Answers => ({ 200: json(description, schema) })
/** A page of these, with the cursor of the next one. */
export const pageOf = (name: string, element: z.ZodType): z.ZodType => z.looseObject({ [name]: z.array(element), ...page })
export const list = (name: string, element: z.ZodType): Answers => found('one page', pageOf(name, element))
/** All of them at once. */
export const all = (name: string, element: z.ZodType, more: z.ZodRawShape = {}): Answers =>
  found('all of them', z.looseObject({ [name]: z.array(element), count, ...more }))
export const put = (schema: z.ZodType): Answers => ({ 200: json('it was changed', schema), 201: json('it was made', schema) })
export const deleted = found('it is gone', z.object({ deleted: text }))
export const picture = (description: string): Answers => ({ 200: { description, type: 'image/png' } })
