// Which values the cache of the option `valueCache` can keep.

import type { KeyEncoding } from '../encoding/encoding.ts'

/** Whether keys of this encoding are strings, by which the cache finds entries. */
export function isText(encoding: KeyEncoding<unknown>): boolean {
  return encoding.name === 'utf8' && !encoding.callsBack
}

/**
 * Freezes a JSON-like value deeply. False, and nothing is frozen, if something in it can be changed even when frozen:
 * bytes, dates, maps, sets, instances of classes.
 */
export function freeze(value: unknown): boolean {
  if (!isReference(value)) return true
  // Iterating over a set also visits what is added meanwhile, and each object once.
  const found = new Set<object>([value])
  for (const object of found) {
    if (!isJsonLike(object)) return false
    for (const member of Object.values(object)) if (isReference(member)) found.add(member)
  }
  for (const object of found) Object.freeze(object)
  return true
}

function isReference(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

function isJsonLike(object: object): boolean {
  if (typeof object === 'function') return false
  const prototype: unknown = Object.getPrototypeOf(object)
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null
}
