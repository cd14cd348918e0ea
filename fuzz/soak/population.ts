// The keys that the soak works on, and what must be stored under each. A value follows from its key and a version
// number, so the model of everything is one number a key: it does not grow, and neither does what it is compared with.
import { Random } from '../../test/support/random.ts'

/** Names of the keyspaces; the first is the database's own. */
export const spaceNames: readonly string[] = ['', 'blue', 'green', 'red']
/** Keys of each keyspace. */
export const keysPerSpace = 15_000
/** The first keys of each keyspace have large values at times. */
const largeKeys = 8
const headerBytes = 9
const poolBytes = 1 << 20

/** Version of every key of every keyspace; 0: missing. */
export type Versions = readonly Uint32Array[]

export function noVersions(): Versions {
  return spaceNames.map(() => new Uint32Array(keysPerSpace))
}

export function keyOf(index: number): string {
  return `key ${String(index).padStart(6, '0')}`
}

/** Inverse of `keyOf`. */
export function indexOf(key: string): number {
  return Number(key.slice(4))
}

/** More than all values of the newest versions can ever be. */
export const mostBytes = spaceNames.length * (keysPerSpace * 800 + largeKeys * 300_000)

/** The value of one version of a key. */
export function valueFor(space: number, index: number, version: number): Uint8Array {
  const { length, from } = shapeOf(space, index, version)
  const value = new Uint8Array(length)
  const view = new DataView(value.buffer)
  view.setUint8(0, space)
  view.setUint32(1, index)
  view.setUint32(5, version)
  value.set(pool.subarray(from, from + length - headerBytes), headerBytes)
  return value
}

/** The version that a stored value says to be of; `undefined` when it is no value of this key. */
export function versionOf(space: number, index: number, value: Uint8Array): number | undefined {
  if (value.length < headerBytes) return undefined
  const view = new DataView(value.buffer, value.byteOffset, value.length)
  const version = view.getUint32(5)
  if (view.getUint8(0) !== space || view.getUint32(1) !== index) return undefined
  const { length, from } = shapeOf(space, index, version)
  const filler = pool.subarray(from, from + length - headerBytes)
  if (value.length !== length || Buffer.compare(value.subarray(headerBytes), filler) !== 0) return undefined
  return version
}

function shapeOf(space: number, index: number, version: number): { length: number; from: number } {
  const random = new Random(Math.imul(version, 0x9e3779b1) ^ (index * spaceNames.length + space))
  const isLarge = index < largeKeys && random.chance(0.3)
  const length = headerBytes + (isLarge ? 70_000 + random.below(200_000) : random.below(random.chance(0.1) ? 700 : 250))
  return { length, from: random.below(poolBytes - length) }
}

const pool = makePool(new Random(7))

/** Half noise, half repetition, so that pages can be compressed, but not to nothing. */
function makePool(random: Random): Uint8Array {
  const bytes = new Uint8Array(poolBytes)
  for (let at = 0; at < poolBytes; at += 16) {
    for (let i = 0; i < 8; i++) bytes[at + i] = random.below(256)
    bytes.fill(random.below(16), at + 8, at + 16)
  }
  return bytes
}
