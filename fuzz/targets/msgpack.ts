// Values: what msgpack and JSON decode, they write and read again as the same.
import { isDeepStrictEqual } from 'node:util'
import { JsonEncoding } from '../../src/encoding/json-encoding.ts'
import { MsgpackEncoding } from '../../src/encoding/msgpack-encoding.ts'
import type { ValueEncoding } from '../../src/encoding/encoding.ts'
import { expectThat, expectTyped, type Target, type TargetEntry } from '../fuzzer/target.ts'

const msgpack = new MsgpackEncoding()
const json = new JsonEncoding()

function check(encoding: ValueEncoding<unknown>, input: Uint8Array): void {
  let value: unknown
  try {
    value = encoding.read(input, 0, input.length)
  } catch (error) {
    expectTyped(error, ['LIGHTNING_DECODE'])
    return
  }
  let bytes: Uint8Array
  try {
    bytes = encoding.encode(value)
  } catch (error) {
    // What others have written may be more than is written here: nested deeper, an object with a key twice.
    expectTyped(error, ['LIGHTNING_INVALID_ARGUMENT'])
    return
  }
  const again = encoding.read(bytes, 0, bytes.length)
  expectThat(
    isDeepStrictEqual(comparable(again), comparable(encoding === json ? finite(value) : value)),
    `${encoding.name}: a value that was read and written reads the same`
  )
}

const invalidDate = Symbol('an invalid date')

/** The same with a mark for invalid dates, of which none equals another. */
function comparable(value: unknown): unknown {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? invalidDate : value
  if (Array.isArray(value)) return value.map(comparable)
  if (value instanceof Map) return new Map(Array.from(value, ([key, each]) => [comparable(key), comparable(each)]))
  if (value instanceof Set) return new Set(Array.from(value, comparable))
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, comparable(each)]))
}

/** The same without numbers beyond all numbers: JSON may have them, `JSON.stringify` writes null. */
function finite(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (Array.isArray(value)) return value.map(finite)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, finite(each)]))
}

function run(input: Uint8Array): void {
  check(msgpack, input)
  check(json, input)
}

async function create(): Promise<Target> {
  const values = [
    null,
    [true, false, -1, 0, 200, 70_000, 5_000_000_000, -0, Number.NaN, 1.5],
    { a: 'x', b: ['y'.repeat(40), { c: null }], ['é'.repeat(300)]: 1 },
    [
      1n,
      -(2n ** 70n),
      new Date(1_700_000_000_123),
      new Uint8Array([1, 2]),
      new Float64Array([1.5]),
      new ArrayBuffer(3)
    ],
    new Map<unknown, unknown>([
      [1, new Set(['a'])],
      [{ k: 1 }, undefined]
    ])
  ]
  return {
    mostBytes: 1_024,
    seeds: [...values.map(value => msgpack.encode(value)), json.encode({ a: [1, 'x', null, { b: 1.5e300 }] })],
    run
  }
}

export const msgpackTarget: TargetEntry = { name: 'msgpack', what: 'values: msgpack and JSON', create }
