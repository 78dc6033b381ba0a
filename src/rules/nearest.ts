// "Did you mean …?": the known word that is nearest to an unknown one.

/** At most this share of a word's letters may differ. */
const FAR = 0.4

/** The nearest of the known words, or undefined when none is near. Bounded: long words are compared by their first 64 characters. */
export function nearestOf(word: string, known: readonly string[]): string | undefined {
  const wanted = word.slice(0, 64).toLowerCase()
  let best: { readonly name: string; readonly distance: number } | undefined
  for (const name of known) {
    const distance = distanceOf(wanted, name.slice(0, 64).toLowerCase())
    if (distance <= FAR * Math.max(wanted.length, name.length) && (!best || distance < best.distance)) best = { name, distance }
  }
  return best?.name
}

/** ` Did you mean x?`, or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const name = nearestOf(word, known)
  return name === undefined ? '' : ` Did you mean ${name}?`
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function distanceOf(a: string, b: string): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      let least = Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (above[j - 1] ?? 0) + (isSame ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, (before[j - 2] ?? 0) + 1)
      row.push(least)
    }
    ;[before, above] = [above, row]
  }
  return above[b.length] ?? a.length
}
