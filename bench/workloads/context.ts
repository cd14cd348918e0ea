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

/**
 * Puts of the keys with the numbers in `order` from `from` to `to`, just made as a program would have just made them:
 * what is measured is the engine, not how long the caller's bytes take to come from memory. The value goes by position:
 * an engine may find that a key has it already.
 */
export function writesTo(driver: Driver, data: DataSet, order: Uint32Array, from = 0, to = order.length): Write[] {
  return Array.from(order.subarray(from, to), (index, i) => ({
    key: driver.native(data.key(index)),
    value: new Uint8Array(data.value(from + i))
  }))
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
