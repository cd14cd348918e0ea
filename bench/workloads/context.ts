import type { DataSet } from '../data.ts'
import type { Driver, DriverOptions, Durability, Engine, NativeKey } from '../drivers/driver.ts'
import type { Figure } from '../figures.ts'

/** What one child process measures: one engine, one group of workloads, one data set. */
export interface Context {
  readonly engine: Engine
  /** The engine's own directory; it lives through all groups of one repetition. */
  readonly directory: string
  readonly data: DataSet
  readonly cacheBytes: number
}

/** A group of workloads that run in one process, one after the other. */
export type Group = (context: Context) => Promise<Figure[]>

export function openDriver(
  { engine, directory, data, cacheBytes }: Context,
  durability: Durability,
  more: Partial<DriverOptions> = {}
): Promise<Driver> {
  return engine.open({ directory, kind: data.kind, durability, cacheBytes, ...more })
}

/** The keys with these numbers, made in this order so that reading them is as cheap as it can be for everyone. */
export function nativeKeys(driver: Driver, data: DataSet, order: Iterable<number>): NativeKey[] {
  return Array.from(order, index => driver.native(data.key(index)))
}

export function* range(from: number, to: number): Iterable<number> {
  for (let i = from; i < to; i++) yield i
}

/** One put to come. */
export interface Write {
  readonly key: NativeKey
  readonly value: Uint8Array
}

/** Puts of the keys with these numbers. The value goes by position: an engine may find that a key has it already. */
export function writesTo(driver: Driver, data: DataSet, order: Uint32Array): Write[] {
  return Array.from(order, (index, i) => ({ key: driver.native(data.key(index)), value: data.value(i) }))
}

/** Hands out slices of these writes, one after the other, and begins again after the last. */
export function slicesOf(writes: readonly Write[]): (from: number, to: number) => readonly Write[] {
  let next = 0
  return (from, to) => {
    if (next + to - from > writes.length) next = 0
    const slice = writes.slice(next, next + to - from)
    next += slice.length
    for (const { key, value } of slice) look(value, typeof key === 'string' ? key : '')
    return slice
  }
}

const seen = new Float64Array(1)

/**
 * Looks at what is going to be written, outside all timing, as if a program had just made it: what is measured is the
 * engine, not how long the caller's bytes take to come from memory. They are not really made for each write, since the
 * garbage would be collected while the engine is being measured.
 */
export function look(value: Uint8Array, key = ''): void {
  let sum = key.length === 0 ? 0 : key.charCodeAt(0)
  for (let i = 0; i < value.length; i += 64) sum += value[i] ?? 0
  // Stored, so that no compiler leaves out the looking.
  seen[0] = sum
}

/** For slices of work whose parts are all made before. */
export function part<T>(all: readonly T[]): (from: number, to: number) => readonly T[] {
  return (from, to) => all.slice(from, to)
}

/** The element at an index that exists. Not for loops that are measured: there each access has its own place. */
export function at<T>(values: ArrayLike<T>, index: number): T {
  const value = values[index]
  if (value === undefined) throw new RangeError(`no element ${index}`)
  return value
}
