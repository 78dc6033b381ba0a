// Every alert wakes somebody who then knows what to do.
import { readFileSync } from 'node:fs'
import type { Policy, Resource, Template } from './template.ts'

/** Anchors of a Markdown file, as GitHub makes them. */
export const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )

const RUNBOOK = /docs\/operations\.md#([\w-]+)$/

function alertProblems(alert: Resource, anchors: readonly string[]): string[] {
  const { severity, actions, description } = alert.properties
  const groups: unknown[] = Array.isArray(actions) ? actions.map((a: any) => a.actionGroupId) : actions.actionGroups
  const anchor = RUNBOOK.exec(description)?.[1]
  return [
    ...([1, 2].includes(severity) ? [] : [`${alert.name}: severity ${severity}`]),
    ...(groups.length === 1 && /actionGroups\//.test(String(groups[0])) ? [] : [`${alert.name}: tells nobody`]),
    ...(anchor && anchors.includes(anchor) ? [] : [`${alert.name}: no runbook at ${description}`]),
  ]
}

const NAMES =
  'failed-jobs stuck-jobs open-breakers event-loop-lag poisoned-tasks orchestration-load database-connections database-storage not-ready'.split(
    ' ',
  )

/** The list of alerts, each with severity, action group and a runbook that exists. */
export const alertPolicy: Policy = {
  name: 'alerts have severity, receiver and runbook',
  check: (t: Template) => {
    const alerts = [...t.of('Microsoft.Insights/scheduledQueryRules'), ...t.of('Microsoft.Insights/metricAlerts')]
    const anchors = anchorsOf(readFileSync('docs/operations.md', 'utf8'))
    const names = alerts.map((a) => a.name)
    const url = t.one('Microsoft.Insights/webtests').properties.Request.RequestUrl as string
    return [
      ...alerts.flatMap((a) => alertProblems(a, anchors)),
      ...NAMES.filter((n) => !names.includes(n)).map((n) => `no alert ${n}`),
      ...(url.includes('/api/health/ready') ? [] : [`the web test asks ${url}`]),
    ]
  },
}
