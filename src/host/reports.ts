// Results that are objects, such as statistics: checked to be what their types say before they are given to the caller.

import { isObject } from '../encoding/arguments.ts'
import type { EngineStats, PageMap, VerifyReport } from '../engine/engine.ts'
import { malformed } from './messages.ts'

/** Plain numbers, nested. */
export function statsOf(value: unknown): EngineStats {
  if (isStats(value)) return value
  throw malformed('statistics are malformed')
}

/** Columns of one length. */
export function pageMapOf(value: unknown): PageMap {
  if (isPageMap(value)) return value
  throw malformed('a map of pages is malformed')
}

export function reportOf(value: unknown): VerifyReport {
  if (isReport(value)) return value
  throw malformed('a report is malformed')
}

function isStats(value: unknown): value is EngineStats {
  return isObject(value) && isObject(value.pages) && isObject(value.cache)
}

function isPageMap(value: unknown): value is PageMap {
  if (!isObject(value) || !(value.flags instanceof Uint8Array)) return false
  const { storedBytes, changed, flags } = value
  return (
    typeof value.sequence === 'number' &&
    typeof value.pageBytes === 'number' &&
    storedBytes instanceof Uint32Array &&
    storedBytes.length === flags.length &&
    changed instanceof Float64Array &&
    changed.length === flags.length
  )
}

function isReport(value: unknown): value is VerifyReport {
  return isObject(value) && typeof value.ok === 'boolean' && Array.isArray(value.problems)
}
