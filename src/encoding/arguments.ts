// Checks of what callers pass, the same everywhere: each throws `LIGHTNING_INVALID_ARGUMENT` with a message that names
// the place (`where`), what is legal, and what was given.

import { describe, invalidArgument } from './failure.ts'

/** Names that an options object may have. */
export type KnownNames = ReadonlySet<string>

/** Options as an object: `undefined` means none. Refuses everything else that is not an object, and unknown names. */
export function checkKnown(options: unknown, names: KnownNames, where: string): { readonly [name: string]: unknown } {
  if (options === undefined) return {}
  if (!isObject(options)) throw invalidArgument(`${where}: pass an object, or nothing; got ${describe(options)}.`)
  for (const name in options) {
    // Inherited properties were not meant as options.
    if (names.has(name) || !Object.hasOwn(options, name)) continue
    throw invalidArgument(`${where}: there is no option '${name}'. ${suggestion(name, names)}`)
  }
  return options
}

/** A boolean, or the default when absent. */
export function checkBoolean(value: unknown, otherwise: boolean, where: string): boolean {
  if (value === undefined) return otherwise
  if (typeof value !== 'boolean') throw invalidArgument(`${where}: pass true or false; got ${describe(value)}.`)
  return value
}

/** A whole number from `least` to `most`. */
export function checkInteger(value: unknown, least: number, most: number, where: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most) return value
  const upTo = most === Number.MAX_SAFE_INTEGER ? ` from ${least}` : ` from ${least} to ${most}`
  throw invalidArgument(`${where}: pass a whole number${upTo}; got ${describe(value)}.`)
}

/** One of `choices`. */
export function checkChoice<T extends string>(value: unknown, choices: readonly T[], where: string): T {
  for (const choice of choices) if (value === choice) return choice
  const legal = choices.map(choice => `'${choice}'`).join(' or ')
  throw invalidArgument(`${where}: pass ${legal}; got ${describe(value)}.`)
}

/** Whether `value` is an object other than an array. */
export function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && isArray(value) === false
}

/** Whether `value` is an array. */
export function isList(value: unknown): value is readonly unknown[] {
  return isArray(value) === true
}

/** `undefined` for a proxy that was revoked: it is neither an array nor anything else. */
function isArray(value: unknown): boolean | undefined {
  try {
    return Array.isArray(value)
  } catch {
    return undefined
  }
}

/** Whether `value` has a `then`, as promises do. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (typeof value !== 'object' || value === null) return false
  return 'then' in value && typeof value.then === 'function'
}

function suggestion(name: string, names: KnownNames): string {
  let nearest = ''
  let least = Number.POSITIVE_INFINITY
  for (const known of names) {
    const distance = editDistance(name.toLowerCase(), known.toLowerCase())
    if (distance >= least) continue
    least = distance
    nearest = known
  }
  // At a greater distance the nearest name is hardly the one that was meant.
  if (least <= Math.max(1, Math.floor(name.length / 4))) return `Did you mean '${nearest}'?`
  return names.size === 0 ? 'There are none here.' : `The options here are ${[...names].join(', ')}.`
}

/** Levenshtein distance: how many characters must be inserted, removed or replaced. */
function editDistance(from: string, to: string): number {
  // Such a long name resembles none of ours, and the work is quadratic.
  if (from.length > 64) return from.length
  let above = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const replaced = (above[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    above = current
  }
  return above[to.length] ?? 0
}
