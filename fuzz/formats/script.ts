// Inputs of the targets whose files are large: not the files themselves but the changes made to known ones. A script is
// a byte that says which files, a byte of switches, and then records of eight bytes each:
//
//   0    1      2       4       8
//   | op | item | field | value |
//
// So an input is small, shrinks well, and stays meaningful whatever its bytes are.
import type { Random } from '../../test/support/random.ts'
import { mutateBytes, someNumber } from '../fuzzer/mutators.ts'

/** One change; what the numbers mean is the reader's business, who takes each modulo what there is. */
export interface ScriptRecord {
  readonly op: number
  readonly item: number
  readonly field: number
  readonly value: number
}

export interface Script {
  /** 0 to 255: which of the known files. */
  readonly base: number
  /** 0 to 255. */
  readonly switches: number
  readonly records: readonly ScriptRecord[]
}

const headBytes = 2
const recordBytes = 8
export const mostScriptBytes = headBytes + 24 * recordBytes

export function readScript(bytes: Uint8Array): Script {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const records: ScriptRecord[] = []
  for (let at = headBytes; at + recordBytes <= bytes.length && at < mostScriptBytes; at += recordBytes) {
    records.push({
      op: view.getUint8(at),
      item: view.getUint8(at + 1),
      field: view.getUint16(at + 2, true),
      value: view.getUint32(at + 4, true)
    })
  }
  return { base: bytes[0] ?? 0, switches: bytes[1] ?? 0, records }
}

export function writeScript({ base, switches, records }: Script): Uint8Array {
  const bytes = new Uint8Array(headBytes + records.length * recordBytes)
  const view = new DataView(bytes.buffer)
  bytes[0] = base
  bytes[1] = switches
  for (const [i, { op, item, field, value }] of records.entries()) {
    const at = headBytes + i * recordBytes
    view.setUint8(at, op)
    view.setUint8(at + 1, item)
    view.setUint16(at + 2, field, true)
    view.setUint32(at + 4, value, true)
  }
  return bytes
}

/** A script near this one: records more, fewer, others', or with other numbers. */
export function mutateScript(input: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  if (random.chance(0.1)) return mutateBytes(input, random, other, mostScriptBytes)
  const script = readScript(input)
  const records = [...script.records]
  let { base, switches } = script
  for (let left = 1 + random.below(3); left > 0; left--) {
    const at = random.below(records.length + 1)
    const kind = random.below(8)
    const record = records[at]
    if (kind < 2 || record === undefined) records.splice(at, 0, someRecord(random))
    else if (kind === 2) records.splice(at, 1)
    else if (kind === 3) records.splice(at, 0, ...readScript(other).records.slice(random.below(4)))
    else if (kind === 4) records[at] = { ...record, value: someNumber(random) }
    else if (kind === 5) records[at] = { ...record, field: random.below(0x1_0000) }
    else if (kind === 6) records[at] = { ...record, item: random.below(random.chance(0.5) ? 8 : 256) }
    else if (random.chance(0.5)) base = random.below(8)
    else switches = random.below(256)
  }
  return writeScript({ base, switches, records: records.slice(0, 24) })
}

function someRecord(random: Random): ScriptRecord {
  return {
    op: random.below(32),
    item: random.below(random.chance(0.5) ? 8 : 256),
    field: random.chance(0.5) ? random.below(128) : random.below(0x1_0000),
    value: someNumber(random)
  }
}
