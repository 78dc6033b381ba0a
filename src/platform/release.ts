// Which release this is: set when it is built.

declare const LAMPLIGHTER_RELEASE: { readonly version: string; readonly commit: string | null } | undefined

/** Version of the package and commit of the build; run from source there is none. */
export const RELEASE: { readonly version: string; readonly commit: string | null } =
  typeof LAMPLIGHTER_RELEASE === 'undefined' ? { version: 'development', commit: null } : LAMPLIGHTER_RELEASE
