// What a new owner's thread is told: data that a structured clone carries.

import { isObject } from '../encoding/arguments.ts'
import { malformed } from './messages.ts'
import type { OwnerOptions } from './owner-options.ts'

export interface OwnerStart {
  /** Absolute path, or `:memory:`. */
  readonly location: string
  readonly options: OwnerOptions
}

/** Throws `LIGHTNING_INVALID_ARGUMENT` for what no client of this version has said. */
export function startOf(data: unknown): OwnerStart {
  if (isObject(data) && typeof data.location === 'string' && isOptions(data.options)) {
    return { location: data.location, options: data.options }
  }
  throw malformed('the worker was not started by connect()')
}

function isOptions(value: unknown): value is OwnerOptions {
  return isObject(value) && typeof value.cacheBytes === 'number' && typeof value.durability === 'string'
}
