// GDAL_METADATA (tag 42112): a flat list of <Item> elements. Read with no entities beyond the five of XML, no DTD, at most 1 MiB.
import { LIMITS } from './limits.ts'

export interface MetadataItem {
  readonly name: string
  readonly value: string
  /** Band, from 0; undefined: of the whole file. */
  readonly sample?: number
  readonly role?: string
  readonly domain?: string
}

const ITEM = /<Item\s+([^<>]*?)(?:\/>|>([^<]*)<\/Item>)/g
const ATTRIBUTE = /([A-Za-z_]+)\s*=\s*"([^"]*)"/g
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** What can be understood of it; the rest is passed over. */
export function parseGdalMetadata(xml: string | undefined): MetadataItem[] {
  if (xml === undefined || xml.length > LIMITS.metadataXmlBytes || xml.includes('<!')) return []
  return [...xml.matchAll(ITEM)].flatMap(([, attributes = '', text = '']) => {
    const given = Object.fromEntries([...attributes.matchAll(ATTRIBUTE)].map(([, key, value]) => [key, decode(value ?? '')]))
    const sample = Number(given['sample'])
    if (!given['name']) return []
    return [
      {
        name: given['name'],
        value: decode(text),
        ...(given['sample'] !== undefined && Number.isInteger(sample) ? { sample } : {}),
        ...(given['role'] ? { role: given['role'] } : {}),
        ...(given['domain'] ? { domain: given['domain'] } : {}),
      },
    ]
  })
}

const decode = (text: string): string => text.replaceAll(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => ENTITIES[name] ?? '')
const encode = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** Undefined where there is nothing to say. */
export function writeGdalMetadata(items: readonly MetadataItem[]): string | undefined {
  if (items.length === 0) return undefined
  const lines = items.map(({ name, value, sample, role, domain }) => {
    const more = [
      ...(sample === undefined ? [] : [` sample="${sample}"`]),
      ...(role ? [` role="${encode(role)}"`] : []),
      ...(domain ? [` domain="${encode(domain)}"`] : []),
    ].join('')
    return `  <Item name="${encode(name)}"${more}>${encode(value)}</Item>\n`
  })
  return `<GDALMetadata>\n${lines.join('')}</GDALMetadata>\n`
}

/**
 * What an output keeps: no statistics (they are of other pixels), no structure of the old file; items of bands under their new number.
 * @param bands 0-based bands of the source in the order of the output
 */
export function keptMetadata(items: readonly MetadataItem[], bands: readonly number[]): MetadataItem[] {
  return items
    .filter((i) => !i.name.startsWith('STATISTICS_') && i.domain !== 'IMAGE_STRUCTURE' && i.domain !== 'DERIVED_SUBDATASETS')
    .flatMap((item) => {
      if (item.sample === undefined) return [item]
      const sample = bands.indexOf(item.sample)
      return sample < 0 ? [] : [{ ...item, sample }]
    })
}
