// Tiles of WebMercatorQuad (OGC 17-083r4, annex D.1): EPSG:3857, upper left origin, 2^z by 2^z.
import type { Transform } from './georeference.ts'

const EDGE = 20_037_508.342_789_244

/** Geotransform of a tile of so many pixels. */
export function mercatorTile(z: number, x: number, y: number, pixels: number): Transform {
  const side = (2 * EDGE) / 2 ** z
  return [-EDGE + x * side, side / pixels, 0, EDGE - y * side, 0, -side / pixels]
}

/** Zoom at which a tile's pixel is about so many metres at the equator. */
export function zoomOf(metresPerPixel: number, pixels: number): number {
  return Math.max(0, Math.min(24, Math.ceil(Math.log2((2 * EDGE) / (pixels * metresPerPixel)) - 0.01)))
}
