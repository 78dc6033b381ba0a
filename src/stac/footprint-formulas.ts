// Formulas for PROJ_FOOTPRINT, loaded before the validation: the table of codes is a file, and validation reads none.
import { toWgs84 } from '../raster/crs.ts'
import { AppError } from '../rules/errors.ts'
import { codeOf } from './validation/footprint.ts'
import { isObject, type JsonObject, listOf, objectsIn } from './validation/json.ts'
import type { FormulaOf, ToWgs84 } from './validation/subject.ts'

/** Different codes of one request; a hostile list would keep proj4 busy for seconds. */
const MAX_CODES = 50

/** For the `proj:code`s of an item or FeatureCollection; a code without formula is left out. */
export async function loadFormulas(document: unknown): Promise<FormulaOf> {
  const formulas = new Map<number, ToWgs84>()
  for (const code of codesOf(document)) {
    try {
      formulas.set(code, (await toWgs84(code)).transform)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
    }
  }
  return (code) => formulas.get(code)
}

function codesOf(document: unknown): Set<number> {
  const codes = new Set<number>()
  if (!isObject(document)) return codes
  const items = document.type === 'FeatureCollection' ? listOf(document.features).filter(isObject) : [document]
  for (const { properties, assets } of items) {
    const holders: JsonObject[] = [...objectsIn({ properties }), ...objectsIn(assets)].map(([, holder]) => holder)
    for (const holder of holders) {
      const code = codeOf(holder['proj:code'])
      if (code !== undefined && codes.size < MAX_CODES) codes.add(code)
    }
  }
  return codes
}
