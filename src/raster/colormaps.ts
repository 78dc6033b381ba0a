// Colour maps by their Matplotlib names: control points at equal distances, straight lines between.

const POINTS = {
  gray: ['000000', 'ffffff'],
  viridis: ['440154', '482878', '3e4989', '31688e', '26828e', '1f9e89', '35b779', '6ece58', 'b5de2b', 'fde725'],
  plasma: ['0d0887', '46039f', '7201a8', '9c179e', 'bd3786', 'd8576b', 'ed7953', 'fb9f3a', 'fdca26', 'f0f921'],
  inferno: ['000004', '1b0c41', '4a0c6b', '781c6d', 'a52c60', 'cf4446', 'ed6925', 'fb9b06', 'f7d13d', 'fcffa4'],
  magma: ['000004', '180f3d', '440f76', '721f81', '9e2f7f', 'cd4071', 'f1605d', 'fd9668', 'feca8d', 'fcfdbf'],
  cividis: ['00224e', '123570', '3b496c', '575d6d', '707173', '8a8678', 'a59c74', 'c3b369', 'e1cc55', 'fee838'],
  terrain: ['333399', '0098fe', '00ca69', '98ea85', 'fefe98', 'ccbe7d', '997c76', 'ccbeba', 'ffffff'],
  rdylgn: ['a50026', 'd73027', 'f46d43', 'fdae61', 'fee08b', 'ffffbf', 'd9ef8b', 'a6d96a', '66bd63', '1a9850', '006837'],
  rdbu: ['67001f', 'b2182b', 'd6604d', 'f4a582', 'fddbc7', 'f7f7f7', 'd1e5f0', '92c5de', '4393c3', '2166ac', '053061'],
  blues: ['f7fbff', 'deebf7', 'c6dbef', '9ecae1', '6baed6', '4292c6', '2171b5', '08519c', '08306b'],
} as const

export type ColormapName = keyof typeof POINTS
export const COLORMAP_NAMES = Object.keys(POINTS) as [ColormapName, ...ColormapName[]]

/** 256 entries of red, green and blue. */
export function colormap(name: ColormapName): Uint8Array {
  const points = POINTS[name].map((hex) => [0, 2, 4].map((i) => Number.parseInt(hex.slice(i, i + 2), 16)))
  const table = new Uint8Array(768)
  for (let i = 0; i < 256; i++) {
    const at = (i / 255) * (points.length - 1)
    const low = Math.min(points.length - 2, Math.floor(at))
    for (let c = 0; c < 3; c++) {
      const [a, b] = [points[low]?.[c] as number, points[low + 1]?.[c] as number]
      table[i * 3 + c] = Math.round(a + (b - a) * (at - low))
    }
  }
  return table
}
