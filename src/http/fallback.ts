// What no route took: 405 when another method knows the path, else 404. The host alone would answer 404 with an empty body.
import { app } from '@azure/functions'
import { AppError } from '../engine/errors.ts'
import { problemAnswer } from './problem.ts'
import { declaredRoutes, requestIdOf } from './route.ts'

/** Does a concrete path match a template like `jobs/{id}/tasks/{*key}`? */
export function matchesTemplate(template: string, path: string): boolean {
  const [wanted, given] = [template.split('/'), path.split('/')]
  for (const [i, part] of wanted.entries()) {
    if (part.startsWith('{*')) return given.length > i
    if (given[i] === undefined || given[i] === '') return false
    if (!part.startsWith('{') && part.toLowerCase() !== given[i].toLowerCase()) return false
  }
  return wanted.length === given.length
}

app.http('answerUnknownRoute', {
  methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD'],
  route: '{*path}',
  authLevel: 'anonymous',
  handler: (request) => {
    const path = new URL(request.url).pathname.replace(/^\/api\//, '')
    const allowed = [...new Set(declaredRoutes.filter((d) => matchesTemplate(d.path, path)).map((d) => d.method))]
    const error =
      allowed.length > 0 && !allowed.includes(request.method as never)
        ? new AppError('METHOD_NOT_ALLOWED', `${request.method} is not allowed here. Use ${allowed.join(' or ')}.`)
        : new AppError(
            'ROUTE_NOT_FOUND',
            'There is no such resource. GET /api/job-types shows what can be submitted, GET /api/jobs what runs.',
          )
    const answer = problemAnswer(error, requestIdOf(request))
    return error.status === 405
      ? { ...answer, headers: { ...(answer.headers as Record<string, string>), allow: allowed.join(', ') } }
      : answer
  },
})
