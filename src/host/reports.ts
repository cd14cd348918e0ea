// Results that are objects: looked at before they are believed to be what their types say.

import { isObject } from '../encoding/arguments.ts'
import type { EngineStats, VerifyReport } from '../engine/engine.ts'
import { malformed } from './messages.ts'

/** Plain numbers, nested. */
export function statsOf(value: unknown): EngineStats {
  if (isStats(value)) return value
  throw malformed('statistics are none')
}

export function reportOf(value: unknown): VerifyReport {
  if (isReport(value)) return value
  throw malformed('a report is none')
}

function isStats(value: unknown): value is EngineStats {
  return isObject(value) && isObject(value.pages) && isObject(value.cache)
}

function isReport(value: unknown): value is VerifyReport {
  return isObject(value) && typeof value.ok === 'boolean' && Array.isArray(value.problems)
}
