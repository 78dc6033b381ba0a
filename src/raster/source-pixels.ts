// Pixels of a source in the form of its output: bands chosen, palettes expanded, holes as a mask.
import { MaskReader } from './mask.ts'
import type { Pyramid } from './image.ts'
import type { OutputForm } from './output.ts'
import { missingTest } from './overview.ts'
import type { PixelSource } from './region.ts'
import { type Pixels, parseNodata, type SampleValue } from './samples.ts'
import { ImageReader, type Rectangle } from './window.ts'

/** @throws AppError what opening the image and its mask throws */
export async function sourcePixels({ file, main, mask }: Pyramid, form: OutputForm): Promise<PixelSource> {
  const reader = await ImageReader.open(file, main)
  const maskReader = form.steps.sourceMask && mask ? await MaskReader.open(file, mask) : undefined
  const nodata = parseNodata(form.source_nodata ?? undefined, form.dtype)
  // A warp makes holes where its source has none: those are not looked for here.
  const hasHoles = form.has_mask && (maskReader !== undefined || form.steps.maskFromAlpha !== null || form.steps.maskFromNodata)
  const palette = form.steps.expandPalette === null ? undefined : Buffer.from(form.steps.expandPalette, 'base64')
  return {
    async window(area) {
      const pixels = await reader.window(area, form.steps.bands)
      const holes = hasHoles ? await maskOf(pixels, area, { reader, maskReader, form, nodata }) : undefined
      const shown = palette ? expanded(pixels, palette) : pixels
      return { ...shown, mask: holes }
    },
  }
}

interface MaskNeeds {
  readonly reader: ImageReader
  readonly maskReader: MaskReader | undefined
  readonly form: OutputForm
  readonly nodata: SampleValue | undefined
}

/** 255 where a pixel is: by the source's mask, above zero in its alpha, and not nodata in every band. */
async function maskOf(pixels: Pixels, area: Rectangle, { reader, maskReader, form, nodata }: MaskNeeds): Promise<Uint8Array> {
  const { maskFromAlpha, maskFromNodata } = form.steps
  const mask = maskReader ? await maskReader.window(area) : new Uint8Array(area.width * area.height).fill(255)
  if (maskFromAlpha !== null) {
    const { data } = await reader.window(area, [maskFromAlpha])
    for (let i = 0; i < mask.length; i++) if (data[i] === 0) mask[i] = 0
  }
  if (maskFromNodata && nodata !== undefined) {
    const isMissing = missingTest(nodata)
    for (let i = 0; i < mask.length; i++) {
      let some = false
      for (let b = 0; b < pixels.bands && !some; b++) some = !isMissing(pixels.data[i * pixels.bands + b] as SampleValue)
      if (!some) mask[i] = 0
    }
  }
  return mask
}

function expanded({ data, width, height, dtype }: Pixels, palette: Uint8Array): Pixels {
  const output = new Uint8Array(width * height * 3)
  for (let i = 0; i < width * height; i++) {
    const entry = Number(data[i]) * 3
    output[i * 3] = palette[entry] as number
    output[i * 3 + 1] = palette[entry + 1] as number
    output[i * 3 + 2] = palette[entry + 2] as number
  }
  return { width, height, bands: 3, dtype, data: output }
}
