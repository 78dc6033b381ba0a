// Identity and links.
import { canonicalJson } from '../../rules/canonical-json.ts'
import type { Findings } from './findings.ts'
import { type JsonObject, listOf, objectsIn, shown, textOf } from './json.ts'
import type { Rule } from './subject.ts'

/** Unreserved characters of RFC 3986: no URL escapes them. */
const PLAIN_ID = /^[A-Za-z0-9._~-]+$/
const ABSOLUTE = /^[a-z][a-z0-9+.-]*:/i

const WANTED = {
  Item: ['self', 'root', 'parent'],
  Collection: ['self', 'root'],
  Catalog: ['self', 'root'],
} as const

export const linksRule: Rule = ({ document, kind }, findings) => {
  const { id } = document
  if (typeof id === 'string' && id !== '' && !PLAIN_ID.test(id))
    findings.semantic('ID_CHARACTERS', ['id'], `${shown(id)} has characters beyond A-Z a-z 0-9 . _ ~ -`)
  if (!Array.isArray(document.links)) return
  const links = objectsIn(listOf(document.links))
  for (const [i, { rel, href }] of links)
    if (rel === 'self' && typeof href === 'string' && !ABSOLUTE.test(href))
      findings.semantic('LINK_SELF_RELATIVE', ['links', i, 'href'], `${shown(href)} is not absolute`)
  const relations = new Set(links.map(([, link]) => link.rel))
  for (const rel of WANTED[kind]) if (!relations.has(rel)) findings.semantic('LINK_MISSING', ['links'], `no link with rel ${rel}`)
  duplicates(document, findings)
  if (kind === 'Item') collectionLink(document, relations.has('collection'), findings)
}

/** The same in every member: `search` by GET and by POST are two links. */
function duplicates(document: JsonObject, findings: Findings): void {
  const seen = new Set<string>()
  const repeated = new Set<unknown>()
  const fix = (): string => {
    if (Array.isArray(document.links)) document.links = document.links.filter((link) => !repeated.has(link))
    return 'removed'
  }
  for (const [i, link] of objectsIn(listOf(document.links))) {
    const text = keyOf(link)
    if (seen.has(text)) {
      repeated.add(link)
      findings.semantic('LINK_DUPLICATE', ['links', i], `the same as another link with rel ${shown(link.rel)}`, { fix })
    }
    seen.add(text)
  }
}

/** Infinity, which `1e999` is read as, has no canonical form; JSON.stringify writes null. */
const keyOf = (link: JsonObject): string => canonicalJson(JSON.parse(JSON.stringify(link)))

/** item.json: `collection` exactly with a link of that relation. */
function collectionLink(document: JsonObject, hasLink: boolean, findings: Findings): void {
  const { collection } = document
  if (hasLink === (collection !== undefined)) return
  if (hasLink) {
    const id = idFromLinks(document)
    const fix = (): string => {
      document.collection = id
      return 'taken from the href of the link'
    }
    findings.semantic('COLLECTION_LINK', ['collection'], 'a link with rel collection and no member collection', {
      fix: id ? fix : undefined,
    })
    return
  }
  const href = hrefFromLinks(document)
  const fix = (): string => {
    document.links = [...listOf(document.links), { rel: 'collection', href, type: 'application/json' }]
    return 'added, as other links say'
  }
  findings.semantic('COLLECTION_LINK', ['links'], 'collection is named and no link with rel collection leads to it', {
    fix: href ? fix : undefined,
  })
}

const COLLECTION_PATH = /\/collections\/([^/?#]+)/

/** `…/collections/{id}` at the end says the id; every other href may lead to a file of any name. */
function idFromLinks({ links }: JsonObject): string | undefined {
  for (const [, { rel, href }] of objectsIn(listOf(links))) {
    const id = rel === 'collection' ? COLLECTION_PATH.exec(textOf(href) ?? '') : null
    if (id?.[1] && PLAIN_ID.test(id[1])) return id[1]
  }
  return undefined
}

/** From `self` or `parent`, where they lie in `/collections/{id}` of that very id. */
function hrefFromLinks({ links, collection }: JsonObject): string | undefined {
  if (typeof collection !== 'string') return undefined
  for (const [, { rel, href }] of objectsIn(listOf(links))) {
    if (typeof href !== 'string' || (rel !== 'parent' && rel !== 'self')) continue
    const found = COLLECTION_PATH.exec(href)
    if (found?.[1] === collection || found?.[1] === encodeURIComponent(collection.toWellFormed()))
      return href.slice(0, found.index + found[0].length)
  }
  return undefined
}
