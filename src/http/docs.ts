// The description of the API: as a document for machines, and as a page that needs nothing from elsewhere and runs no script.
import { createHash } from 'node:crypto'
import { openApi } from './openapi.ts'
import { ANSWERS } from './openapi-answers.ts'
import { type HttpRow, route, type Takes } from './route.ts'
import { plainTemplate } from './template.ts'

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
/** The summaries of rows mark names with backticks. */
const prose = (text: string): string => escape(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>')

const STYLE = `
:root{color-scheme:light dark;--line:#8884}
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}h2{margin-top:2.5rem;border-bottom:1px solid var(--line)}
details{border-bottom:1px solid var(--line);padding:.4rem 0}summary{cursor:pointer}
.method{display:inline-block;min-width:4rem;font-weight:600}.role{float:right;opacity:.75}
code,pre{font:13px/1.5 ui-monospace,monospace}pre{overflow-x:auto;padding:.6rem;border:1px solid var(--line);border-radius:4px}
table{border-collapse:collapse}td,th{text-align:left;vertical-align:top;padding:.15rem 1rem .15rem 0}`
const CSP = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

/** @param origin of the server that answers */
export function docsPage(rows: readonly HttpRow[], origin: string): string {
  const groups = Map.groupBy(rows, (row) => row.path.split('/')[0] ?? '')
  const sections = [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([group, of]) => section(group, of, origin))
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Lamplighter API</title><style>${STYLE}</style></head>
<body><main><h1>Lamplighter API</h1><p>${rows.length} operations. For machines: <a href="/api/openapi.json">openapi.json</a> (OpenAPI 3.1). Errors are problem+json (RFC 9457) with a <code>code</code> and a <code>request_id</code>.</p>
<nav><p>${[...groups.keys()]
    .toSorted()
    .map((g) => `<a href="#${escape(g)}">${escape(g)}</a>`)
    .join(' · ')}</p></nav>
${sections.join('\n')}</main></body></html>`
}

const section = (group: string, rows: readonly HttpRow[], origin: string): string =>
  `<h2 id="${escape(group)}">${escape(group)}</h2>\n${rows.map((row) => entry(row, origin)).join('\n')}`

function entry(row: HttpRow, origin: string): string {
  const path = `/api/${plainTemplate(row.path)}`
  const statuses = Object.entries(ANSWERS[row.name] ?? {})
  return `<details><summary><span class="method">${row.method}</span> <code>${escape(path)}</code> <span class="role">${row.role}</span></summary>
<p>${prose(row.summary)}</p>${inputs(row.takes)}<pre>${escape(curl(row, `${origin}${path}`))}</pre>
<p>${statuses.map(([status, { description }]) => `<b>${status}</b> ${escape(description)}`).join(' · ')}</p></details>`
}

function inputs(takes: Takes = {}): string {
  const rows = (['query', 'body'] as const).flatMap((place) => {
    const schema = takes[place]
    const shape = schema && 'shape' in schema ? (schema.shape as Record<string, { description?: string }>) : {}
    return Object.entries(shape).map(
      ([name, { description = '' }]) => `<tr><td><code>${escape(name)}</code><td>${place}<td>${prose(description)}`,
    )
  })
  return rows.length === 0 ? '' : `<table><tr><th>name<th>in<th>meaning${rows.join('')}</table>`
}

function curl({ method, role, takes = {} }: HttpRow, url: string): string {
  const key = role === 'anonymous' ? '' : ` -H "x-functions-key: $KEY"`
  const body =
    takes.uploadBytes !== undefined ? ' --data-binary @FILE' : takes.body ? ` -H 'content-type: application/json' -d '{}'` : ''
  return `curl${method === 'GET' ? '' : ` -X ${method}`}${key}${body} '${url}'`
}

/** @param rows every row of the table, also these */
export const docsRoutes = (rows: () => readonly HttpRow[]): readonly HttpRow[] => [
  route({
    name: 'getOpenApi',
    summary: 'the API as an OpenAPI 3.1 document',
    method: 'GET',
    path: 'openapi.json',
    role: 'anonymous',
    handle: ({ url }) => Promise.resolve({ body: openApi(rows(), url.origin) }),
  }),
  route({
    name: 'getApiDocs',
    summary: 'the API as a page for people',
    method: 'GET',
    path: 'docs',
    role: 'anonymous',
    handle: ({ url }) =>
      Promise.resolve({
        headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': CSP, 'cache-control': 'no-store' },
        bytes: Buffer.from(docsPage(rows(), url.origin)),
      }),
  }),
]
