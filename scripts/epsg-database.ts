// Reads EPSG's codes from proj.db and writes each as a PROJ string for proj4.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export type Area = readonly [number, number, number, number]

export interface CodeOfDatabase {
  readonly code: number
  readonly name: string
  readonly kind: 'projected' | 'geographic'
  /** [west, south, east, north] of use; east is beyond 180 where it crosses the antimeridian. */
  readonly area: Area
  /** Undefined: its method is none that proj4 has. */
  readonly proj: string | undefined
  readonly method: string
}

interface Row {
  readonly [column: string]: string | number | null
}

const PROJECTED = `
  SELECT c.*, m.name AS method, g.datum_code, cs.axis_uom, cs.axes, e.*, p.code, p.name
  FROM projected_crs p
  JOIN conversion_table c ON c.auth_name = p.conversion_auth_name AND c.code = p.conversion_code
  JOIN conversion_method m ON m.auth_name = c.method_auth_name AND m.code = c.method_code
  JOIN geodetic_crs g ON g.auth_name = p.geodetic_crs_auth_name AND g.code = p.geodetic_crs_code
  JOIN (SELECT coordinate_system_code AS cs_code, max(uom_code) AS axis_uom, group_concat(orientation) AS axes
        FROM axis WHERE auth_name = 'EPSG' GROUP BY 1) cs ON cs.cs_code = p.coordinate_system_code
  JOIN (SELECT u.object_code, min(x.west_lon) AS west, min(x.south_lat) AS south, max(x.east_lon) AS east, max(x.north_lat) AS north
        FROM usage u JOIN extent x ON x.auth_name = u.extent_auth_name AND x.code = u.extent_code
        WHERE u.object_table_name = 'projected_crs' AND u.object_auth_name = 'EPSG' GROUP BY 1) e ON e.object_code = p.code
  WHERE p.auth_name = 'EPSG' AND p.deprecated = 0`

const GEOGRAPHIC = `
  SELECT g.code, g.name, g.datum_code, e.*
  FROM geodetic_crs g
  JOIN (SELECT u.object_code, min(x.west_lon) AS west, min(x.south_lat) AS south, max(x.east_lon) AS east, max(x.north_lat) AS north
        FROM usage u JOIN extent x ON x.auth_name = u.extent_auth_name AND x.code = u.extent_code
        WHERE u.object_table_name = 'geodetic_crs' AND u.object_auth_name = 'EPSG' GROUP BY 1) e ON e.object_code = g.code
  WHERE g.auth_name = 'EPSG' AND g.type = 'geographic 2D' AND g.deprecated = 0`

/** Every code in use, in the order of their numbers. */
export function readCodes(bytes: Uint8Array): { codes: CodeOfDatabase[]; version: string } {
  const folder = mkdtempSync(join(tmpdir(), 'epsg-'))
  try {
    writeFileSync(join(folder, 'proj.db'), bytes)
    const db = new DatabaseSync(join(folder, 'proj.db'), { readOnly: true })
    const all = (sql: string, ...values: string[]): Row[] => db.prepare(sql).all(...values) as Row[]
    const datums = new Map(all(DATUMS).map((r) => [String(r['code']), datumOf(r)]))
    const units = new Map(
      all(`SELECT code, type, conv_factor FROM unit_of_measure WHERE auth_name = 'EPSG'`).map((r) => [String(r['code']), r]),
    )
    const version = String(all(`SELECT value FROM metadata WHERE key = 'EPSG.VERSION'`)[0]?.['value'])
    const projected = all(PROJECTED).map((r) => projectedOf(r, datums, units))
    const geographic = all(GEOGRAPHIC).map((r): CodeOfDatabase => ({
      ...namesOf(r),
      kind: 'geographic',
      method: 'geographic',
      proj: `+proj=longlat ${datums.get(String(r['datum_code'])) ?? ''}`,
    }))
    db.close()
    return { codes: [...geographic, ...projected].sort((a, b) => a.code - b.code), version: `EPSG ${version}` }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const DATUMS = `
  SELECT d.code, e.semi_major_axis AS a, e.inv_flattening AS rf, e.semi_minor_axis AS b, ue.conv_factor AS metres,
         pm.longitude AS pm, up.conv_factor AS radians, up.code AS pm_unit
  FROM geodetic_datum d
  JOIN ellipsoid e ON e.auth_name = d.ellipsoid_auth_name AND e.code = d.ellipsoid_code
  JOIN unit_of_measure ue ON ue.auth_name = e.uom_auth_name AND ue.code = e.uom_code
  JOIN prime_meridian pm ON pm.auth_name = d.prime_meridian_auth_name AND pm.code = d.prime_meridian_code
  JOIN unit_of_measure up ON up.auth_name = pm.uom_auth_name AND up.code = pm.uom_code
  WHERE d.auth_name = 'EPSG'`

function datumOf({ a, b, rf, metres, pm, radians, pm_unit }: Row): string {
  const scale = Number(metres)
  const shape = rf !== null ? `+rf=${rf}` : `+b=${Number(b) * scale}`
  const meridian = degrees(Number(pm), String(pm_unit), Number(radians))
  return `+a=${Number(a) * scale} ${shape}${meridian === 0 ? '' : ` +pm=${meridian}`}`
}

const namesOf = (r: Row): { code: number; name: string; area: Area } => {
  const [west, east] = [Number(r['west']), Number(r['east'])]
  return {
    code: Number(r['code']),
    name: String(r['name']),
    area: [west, Number(r['south']), east < west ? east + 360 : east, Number(r['north'])],
  }
}

/** 9110: degrees, minutes and seconds as digits, D.MMSSsss. */
function degrees(value: number, unit: string, radians: number): number {
  if (unit !== '9110') return Number(((value * radians * 180) / Math.PI).toFixed(12))
  const [whole = '0', digits = ''] = Math.abs(value).toFixed(10).split('.')
  const angle = Number(whole) + Number(digits.slice(0, 2)) / 60 + Number(`${digits.slice(2, 4)}.${digits.slice(4)}`) / 3600
  return Number((Math.sign(value) * angle).toFixed(12))
}

type Values = ReadonlyMap<string, number>

/** PROJ's parameter and the EPSG parameters that may give it. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  lat_0: ['8801', '8821', '8811'],
  lon_0: ['8802', '8822', '8833'],
  lat_1: ['8823'],
  lat_2: ['8824'],
  k_0: ['8805', '8815', '8819'],
  x_0: ['8806', '8826', '8816'],
  y_0: ['8807', '8827', '8817'],
}

const METHODS: Readonly<Record<string, (v: Values) => string>> = {
  9807: (v) => list('tmerc', v, 'lat_0', 'lon_0', 'k_0'),
  9801: (v) => `${list('lcc', v, 'lat_0', 'lon_0', 'k_0')} +lat_1=${v.get('8801')}`,
  9802: (v) => list('lcc', v, 'lat_0', 'lon_0', 'lat_1', 'lat_2'),
  9803: (v) => list('lcc', v, 'lat_0', 'lon_0', 'lat_1', 'lat_2'),
  9804: (v) => list('merc', v, 'lon_0', 'k_0'),
  9805: (v) => `${list('merc', v, 'lon_0')} +lat_ts=${v.get('8823')}`,
  9806: (v) => list('cass', v, 'lat_0', 'lon_0'),
  9809: (v) => list('sterea', v, 'lat_0', 'lon_0', 'k_0'),
  9810: (v) => list('stere', v, 'lat_0', 'lon_0', 'k_0'),
  9829: (v) => `${list('stere', v, 'lon_0')} +lat_0=${Math.sign(v.get('8832') ?? 1) * 90} +lat_ts=${v.get('8832')}`,
  9812: (v) => `${omerc(v)} +no_uoff`,
  9815: omerc,
  9820: (v) => list('laea', v, 'lat_0', 'lon_0'),
  9822: (v) => list('aea', v, 'lat_0', 'lon_0', 'lat_1', 'lat_2'),
  9818: (v) => list('poly', v, 'lat_0', 'lon_0'),
  9832: (v) => list('aeqd', v, 'lat_0', 'lon_0'),
  1125: (v) => list('aeqd', v, 'lat_0', 'lon_0'),
  9835: (v) => `${list('cea', v, 'lon_0')} +lat_ts=${v.get('8823')}`,
  1028: (v) => `${list('eqc', v, 'lon_0')} +lat_ts=${v.get('8823')}`,
  1078: (v) => list('eqearth', v, 'lon_0'),
  9811: (v) => list('nzmg', v, 'lat_0', 'lon_0'),
  1041: (v) => list('krovak', v, 'lat_0', 'lon_0', 'k_0'),
}

function omerc(v: Values): string {
  return `+proj=omerc +lat_0=${v.get('8811')} +lonc=${v.get('8812')} +alpha=${v.get('8813')} +gamma=${v.get('8814')} +k_0=${v.get('8815')}`
}

const list = (name: string, values: Values, ...keys: string[]): string =>
  [`+proj=${name}`, ...keys.map((key) => `+${key}=${find(values, key)}`)].join(' ')

const find = (values: Values, key: string): number => NAMES[key]?.map((n) => values.get(n)).find((v) => v !== undefined) ?? 0

function projectedOf(r: Row, datums: ReadonlyMap<string, string>, units: ReadonlyMap<string, Row>): CodeOfDatabase {
  const values = new Map<string, number>()
  for (let i = 1; i <= 7; i++) {
    const code = r[`param${i}_code`]
    const unit = units.get(String(r[`param${i}_uom_code`]))
    if (code === null || code === undefined || !unit) continue
    const value = Number(r[`param${i}_value`])
    const isAngle = unit['type'] === 'angle'
    values.set(
      String(code),
      isAngle ? degrees(value, String(unit['code']), Number(unit['conv_factor'])) : value * Number(unit['conv_factor']),
    )
  }
  const method = String(r['method_code'])
  const base = { ...namesOf(r), kind: 'projected' as const, method: String(r['method']) }
  // Spherical by definition, on whatever ellipsoid: proj4 knows it by its own string.
  if (method === '1024')
    return { ...base, proj: '+proj=merc +a=6378137 +b=6378137 +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 +k_0=1 +nadgrids=@null' }
  const projection = METHODS[method]?.(values)
  const isPlain = !/west|south/.test(String(r['axes'])) || /^south,south|^north,north/.test(String(r['axes']))
  const metres = Number(units.get(String(r['axis_uom']))?.['conv_factor'] ?? 1)
  const offsets = `+x_0=${find(values, 'x_0')} +y_0=${find(values, 'y_0')}${metres === 1 ? '' : ` +to_meter=${metres}`}`
  const proj = projection && isPlain ? `${projection} ${offsets} ${datums.get(String(r['datum_code'])) ?? ''}` : undefined
  return { ...base, proj }
}
