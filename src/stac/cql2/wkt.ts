// WKT geometries and BBOX of CQL2 text.
import {
  checkBox,
  checkLine,
  checkPosition,
  type Geometry,
  NESTING,
  type Position,
  type Shape,
  type SpatialLiteral,
} from './geometry.ts'
import type { Budget, Refuse } from './refuse.ts'
import type { Tokens } from './tokens.ts'

const SHAPES: ReadonlyMap<string, Shape> = new Map((Object.keys(NESTING) as Shape[]).map((s) => [s.toUpperCase(), s]))
const COLLECTION = 'GEOMETRYCOLLECTION'

/** Whether a geometry begins with this word. */
export const isGeometryWord = (word: string): boolean => SHAPES.has(word) || word === COLLECTION || word === 'BBOX'

/** Reads `POINT(…)` to `GEOMETRYCOLLECTION(…)` or `BBOX(…)`; the word is the next token. */
export function readSpatialLiteral(tokens: Tokens, depth: number, budget: Budget): SpatialLiteral {
  if (!tokens.is('BBOX')) return { kind: 'geometry', geometry: readGeometry(tokens, depth, budget) }
  const { at } = tokens.take()
  tokens.expect('(')
  const box = [readNumber(tokens)]
  while (tokens.accept(',') && box.length < 7) box.push(readNumber(tokens))
  tokens.expect(')')
  return checkBox(box, (what) => tokens.refuse(what, at))
}

function readGeometry(tokens: Tokens, depth: number, budget: Budget): Geometry {
  const { kind, text, at } = tokens.next
  const word = kind === 'name' ? text.toUpperCase() : ''
  const shape = SHAPES.get(word)
  if (shape === undefined && word !== COLLECTION) throw tokens.unexpected('expected a geometry such as POINT(7 50)')
  tokens.take()
  tokens.accept('Z')
  if (tokens.is('EMPTY')) throw tokens.refuse('an empty geometry meets nothing.')
  if (shape !== undefined) {
    const coordinates = readNested(tokens, NESTING[shape], { shape, budget, refuse: (what) => tokens.refuse(what, at) })
    return { type: shape, coordinates } as Geometry
  }
  const refuse: Refuse = (what) => tokens.refuse(what, at)
  budget.level(depth, refuse)
  budget.node(refuse)
  const geometries = readList(tokens, () => readGeometry(tokens, depth + 1, budget))
  return { type: 'GeometryCollection', geometries }
}

interface Nested {
  readonly shape: Shape
  readonly budget: Budget
  readonly refuse: Refuse
}

/** @param levels how many lists are around a position */
function readNested(tokens: Tokens, levels: number, context: Nested): unknown {
  const { shape } = context
  if (levels === 0) return readPoint(tokens, context)
  const inner = (): unknown =>
    levels > 1
      ? readNested(tokens, levels - 1, context)
      : shape === 'MultiPoint'
        ? readPoint(tokens, context)
        : readPosition(tokens, context)
  const list = readList(tokens, inner)
  if (levels === 1) checkLine(list as Position[], shape, context.refuse)
  return list
}

/** A position in brackets; of MULTIPOINT the older form without them is read too. */
function readPoint(tokens: Tokens, context: Nested): Position {
  if (context.shape === 'MultiPoint' && !tokens.is('(')) return readPosition(tokens, context)
  tokens.expect('(')
  const position = readPosition(tokens, context)
  tokens.expect(')')
  return position
}

function readPosition(tokens: Tokens, { budget, refuse }: Nested): Position {
  budget.position(refuse)
  const { at } = tokens.next
  const position = [readNumber(tokens), readNumber(tokens)]
  if (tokens.next.kind === 'number') position.push(readNumber(tokens))
  return checkPosition(position, (what) => tokens.refuse(what, at))
}

function readNumber(tokens: Tokens): number {
  if (tokens.next.kind !== 'number') throw tokens.unexpected('expected a number')
  return Number(tokens.take().text)
}

function readList<T>(tokens: Tokens, read: () => T): T[] {
  tokens.expect('(')
  const list = [read()]
  while (tokens.accept(',')) list.push(read())
  tokens.expect(')')
  return list
}
