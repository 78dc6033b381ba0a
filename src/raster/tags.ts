// Numbers of TIFF tags and of their values: TIFF 6.0, GeoTIFF 1.1, GDAL's private tags.

export const TAG = {
  subfileType: 254,
  width: 256,
  height: 257,
  bitsPerSample: 258,
  compression: 259,
  photometric: 262,
  fillOrder: 266,
  stripOffsets: 273,
  samplesPerPixel: 277,
  rowsPerStrip: 278,
  stripByteCounts: 279,
  planar: 284,
  software: 305,
  dateTime: 306,
  predictor: 317,
  colorMap: 320,
  tileWidth: 322,
  tileHeight: 323,
  tileOffsets: 324,
  tileByteCounts: 325,
  extraSamples: 338,
  sampleFormat: 339,
  jpegTables: 347,
  yCbCrSubsampling: 530,
  referenceBlackWhite: 532,
  pixelScale: 33_550,
  tiePoints: 33_922,
  matrix: 34_264,
  iccProfile: 34_675,
  geoKeys: 34_735,
  geoDoubles: 34_736,
  geoText: 34_737,
  gdalMetadata: 42_112,
  gdalNodata: 42_113,
} as const

/** Tags that place an image on Earth; without warping they are copied byte for byte. */
export const GEO_TAGS: readonly number[] = [TAG.pixelScale, TAG.tiePoints, TAG.matrix, TAG.geoKeys, TAG.geoDoubles, TAG.geoText]

export const COMPRESSION = {
  none: 1,
  lzw: 5,
  oldJpeg: 6,
  jpeg: 7,
  deflate: 8,
  deflateOld: 32_946,
  packbits: 32_773,
  zstd: 50_000,
  webp: 50_001,
} as const

const NAMES: Readonly<Record<number, string>> = {
  1: 'none',
  2: 'ccitt_rle',
  3: 'ccitt_fax3',
  4: 'ccitt_fax4',
  5: 'lzw',
  6: 'old_jpeg',
  7: 'jpeg',
  8: 'deflate',
  32_773: 'packbits',
  32_946: 'deflate',
  34_661: 'jbig',
  34_712: 'jpeg2000',
  34_887: 'lerc',
  34_925: 'lzma',
  50_000: 'zstd',
  50_001: 'webp',
  50_002: 'jpegxl',
  52_546: 'jpegxl',
}

/** As GDAL's users call it, in lower case; `compression_N` for one without a name. */
export const compressionName = (code: number): string => NAMES[code] ?? `compression_${code}`

export const PHOTOMETRIC = { whiteIsZero: 0, blackIsZero: 1, rgb: 2, palette: 3, mask: 4, cmyk: 5, yCbCr: 6 } as const

/** Bits of NewSubfileType (TIFF 6.0, page 36). */
export const SUBFILE = { reduced: 1, mask: 4 } as const
