// The operations of a batch, as callers write them and as the engine takes them.

import { checkKnown, isList, isObject, type KnownNames } from '../encoding/arguments.ts'
import { describe, invalidArgument } from '../encoding/failure.ts'
import type { KeyOperation, Tree } from '../engine/engine.ts'
import { type EncodedPlace, encodingsOf, type Given } from './call-options.ts'
import type { CachedKeyspace } from './value-cache.ts'

const operationNames: KnownNames = new Set(['type', 'key', 'value', 'sublevel', 'keyEncoding', 'valueEncoding'])

/** An operation as the engine takes it, and the cache in which it makes a value out of date. */
export type PlacedOperation = KeyOperation & { readonly cached: CachedKeyspace | undefined }

/** A keyspace that can be written to. */
export interface OperationPlace extends EncodedPlace {
  readonly tree: Tree
  readonly cached: CachedKeyspace | undefined
  readonly session: EncodedPlace['session'] & { placeOf(handle: unknown, where: string): OperationPlace }
}

/**
 * Checks the operations of a batch on `place`; `options` are those of the call, their names already checked. An
 * operation's own encodings count first, then those of the call, then those of its keyspace. Throws
 * `LIGHTNING_INVALID_ARGUMENT`.
 */
export function parseOperations(
  operations: unknown,
  place: OperationPlace,
  options: Given,
  where: string
): PlacedOperation[] {
  if (!isList(operations)) {
    throw invalidArgument(`${where}: pass an array of operations; got ${describe(operations)}.`)
  }
  const parsed: PlacedOperation[] = []
  // By index, so that a hole in the array is noticed.
  for (let i = 0; i < operations.length; i++) {
    try {
      parsed.push(parseOperation(operations[i], place, options, where))
    } catch {
      // Checked again for a message with its number. Making that text for every operation costs more than the checks.
      parsed.push(parseOperation(operations[i], place, options, `${where}, operation ${i}`))
    }
  }
  return parsed
}

/** Whether it has none but the commonest names: comparing them costs less than looking each up. */
function isUsual(operation: unknown): operation is Given {
  if (!isObject(operation)) return false
  for (const name in operation) if (name !== 'type' && name !== 'key' && name !== 'value') return false
  return true
}

function parseOperation(operation: unknown, place: OperationPlace, options: Given, where: string): PlacedOperation {
  if (operation === undefined) throw invalidArgument(`${where}: pass an object; got undefined.`)
  const given = isUsual(operation) ? operation : checkKnown(operation, operationNames, where)
  const { type, key, value, sublevel } = given
  const target = sublevel === undefined ? place : place.session.placeOf(sublevel, where)
  const { tree, cached } = target
  const { keyEncoding, valueEncoding } = encodingsOf(target, given, options, where)
  if (type === 'put') return { type, tree, key, keyEncoding, value, valueEncoding, cached }
  if (type === 'del') return { type, tree, key, keyEncoding, cached }
  throw invalidArgument(`${where}: its type is 'put' or 'del'; got ${describe(type)}.`)
}
