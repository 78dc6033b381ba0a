// What could open something, as it looks in any text.

const SECRETS: readonly RegExp[] = [
  /[?&;]sig=(?!\*\*\*)[^&\s"']{4,}/gi,
  /[?&]code=(?!\*\*\*)[^&\s"']{4,}/gi,
  /Account_?Key["']?\s*[=:]\s*["']?(?!\*\*\*)[A-Za-z0-9+/]{8,}/gi,
  /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*/g,
  /\bpostgres(?:ql)?:\/\/[^:@/\s"']+:(?!\*\*\*)[^@\s"']+@/gi,
]
const STACK = /\n\s+at (?:async )?[\w.<>$ ]+ ?\((?:file:|node:|\/)[^)]*\)|\\n\s+at (?:async )?[\w.<>$ ]+ ?\((?:file:|node:|\/)/g

/** Each with a little of what stands around it. */
export function leaksIn(text: string, { stacks }: { readonly stacks: boolean }): string[] {
  return [...SECRETS, ...(stacks ? [STACK] : [])].flatMap((pattern) =>
    [...text.matchAll(pattern)].map((m) => text.slice(Math.max(0, m.index - 80), m.index + 120)),
  )
}
