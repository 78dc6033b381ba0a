// Files beside a raster that belong to it: by its stem or its whole name, with a known extension.
import type { StacAsset } from '../models/stac.ts'

interface Kind {
  readonly key: string
  readonly roles: readonly string[]
  readonly type: string
  readonly title: string
}
const KINDS: Readonly<Record<string, Kind>> = {
  '.ovr': { key: 'overviews', roles: ['overview'], type: 'image/tiff', title: 'overviews' },
  '.msk': { key: 'mask', roles: ['metadata'], type: 'image/tiff', title: 'mask' },
  '.aux.xml': { key: 'aux', roles: ['metadata'], type: 'application/xml', title: 'metadata of GDAL' },
  '.tfw': { key: 'world_file', roles: ['metadata'], type: 'text/plain', title: 'world file' },
  '.tifw': { key: 'world_file', roles: ['metadata'], type: 'text/plain', title: 'world file' },
  '.prj': { key: 'projection', roles: ['metadata'], type: 'text/plain', title: 'coordinate reference system' },
}

export const isTiffName = (name: string): boolean => /\.tiff?$/i.test(name)

/** The name up to the first dot of its last part: what all files of a raster begin with. */
export const stemOf = (name: string): string => {
  const start = name.lastIndexOf('/') + 1
  const dot = name.indexOf('.', start + 1)
  return dot === -1 ? name : name.slice(0, dot)
}

const endingOf = (name: string): string | undefined => Object.keys(KINDS).find((ending) => name.toLowerCase().endsWith(ending))

/** Whether the name is one that only means something beside a raster. */
export const isSidecarName = (name: string): boolean => endingOf(name) !== undefined

/** Of the names, those that belong to the raster `tiff`. */
export function sidecarsOf(tiff: string, names: readonly string[]): string[] {
  const stem = tiff.replace(/\.tiff?$/i, '')
  return names.filter((name) => {
    const ending = endingOf(name)
    if (ending === undefined) return false
    const base = name.slice(0, -ending.length)
    return base === stem || base === tiff
  })
}

/** Assets by key; a second file of one kind gets a number. */
export function sidecarAssets(container: string, names: readonly string[]): Record<string, StacAsset> {
  const assets: Record<string, StacAsset> = {}
  for (const name of names) {
    const kind = KINDS[endingOf(name) ?? '']
    if (!kind) continue
    let key = kind.key
    for (let i = 2; Object.hasOwn(assets, key); i++) key = `${kind.key}_${i}`
    assets[key] = { href: `blob:${container}/${name}`, type: kind.type, title: kind.title, roles: [...kind.roles] }
  }
  return assets
}
