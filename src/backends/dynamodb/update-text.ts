import { type Action, actionsOf } from '../planning/actions.ts'
import type { Update } from '../planning/changes.ts'
import type { Expression } from './expression.ts'
import type { WriteTarget } from './write-target.ts'

/** The text of an update; an empty one if it changes nothing. */
export function updateText(target: WriteTarget, update: Update, expression: Expression): string {
  const clauses: Record<Clause, string[]> = { SET: [], REMOVE: [], ADD: [], DELETE: [] }
  for (const action of actionsOf(target, update)) {
    const [clause, text] = actionText(action, expression)
    clauses[clause].push(text)
  }
  return Object.entries(clauses)
    .flatMap(([keyword, parts]) => (parts.length > 0 ? [`${keyword} ${parts.join(', ')}`] : []))
    .join(' ')
}

type Clause = 'SET' | 'REMOVE' | 'ADD' | 'DELETE'

function actionText(action: Action, expression: Expression): [clause: Clause, text: string] {
  const name = expression.path(action.path)
  if (action.kind === 'remove') return ['REMOVE', name]
  const put = (): string => expression.wireValue(action.value)
  const present = (): string => `if_not_exists(${name}, ${expression.wireValue({ L: [] })})`
  switch (action.kind) {
    case 'set':
      return ['SET', `${name} = ${put()}`]
    case 'fill':
      return ['SET', `${name} = if_not_exists(${name}, ${put()})`]
    case 'append':
      return ['SET', `${name} = list_append(${present()}, ${put()})`]
    case 'prepend':
      return ['SET', `${name} = list_append(${put()}, ${present()})`]
    case 'add':
      // ADD is for whole columns.
      if (typeof action.path !== 'string' && action.path.length > 1)
        return ['SET', `${name} = if_not_exists(${name}, ${expression.wireValue({ N: '0' })}) + ${put()}`]
      return ['ADD', `${name} ${put()}`]
    case 'join':
      return ['ADD', `${name} ${put()}`]
    case 'leave':
      return ['DELETE', `${name} ${put()}`]
  }
}
