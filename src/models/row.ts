// A row as the driver gives it, from the model of its table: times are Dates, defaults are there, everything else is what the model says.
import type * as z from 'zod'

type Value<T> = T extends z.ZodISODateTime
  ? Date
  : T extends z.ZodNullable<infer Inner>
    ? Value<Inner> | null
    : T extends z.ZodDefault<infer Inner>
      ? Value<Inner>
      : T extends z.ZodType
        ? z.infer<T>
        : never

export type Row<M extends z.ZodObject> = { readonly [K in keyof M['shape']]: Value<M['shape'][K]> }
