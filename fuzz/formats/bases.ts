// The databases that scripts change.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeMeta } from '../../src/store/meta.ts'
import { dataFileName, logFileNames } from '../../src/store/format.ts'
import { DataImage } from './data-image.ts'
import { LogImage } from './log-image.ts'
import type { Script } from './script.ts'
import type { Tools } from './tools.ts'

/** The files of a database by their names. */
export type Files = ReadonlyMap<string, Uint8Array>

const baseNames = ['crashed', 'closed'] as const
export type BaseName = (typeof baseNames)[number]

export interface Base {
  readonly name: BaseName
  readonly files: Files
  /** The data file to change. */
  data(): DataImage
  /** The log to change. */
  log(): LogImage
  /** Names of the file in which the log goes on behind the meta, and of the other one. */
  readonly logNames: readonly [string, string]
}

/** The databases, the one with a log first. Run from the project's folder. */
export function loadBases(tools: Tools): readonly [Base, Base] {
  return [loadBase('crashed', tools), loadBase('closed', tools)]
}

function loadBase(name: BaseName, tools: Tools): Base {
  const files = new Map<string, Uint8Array>()
  for (const file of [dataFileName, ...logFileNames])
    files.set(file, new Uint8Array(readFileSync(join('fuzz/bases', name, file))))
  const data = fileOf(files, dataFileName)
  const meta = decodeMeta(data, (bytes, seed) => tools.xxh32(bytes, seed), dataFileName)
  if (meta === undefined) throw new Error(`the fixture ${name} has no meta`)
  const logNames = meta.logFile === 0 ? logFileNames : ([logFileNames[1], logFileNames[0]] as const)
  const start = {
    offset: meta.logOffset,
    previous: meta.logPrevious,
    incarnation: meta.incarnation,
    lsn: meta.lsn,
    identity: tools.xxh32(meta.databaseId, tools.xxh32(meta.timeline, 1))
  }
  return {
    name,
    files,
    data: () => new DataImage(data, tools),
    log: () => new LogImage(fileOf(files, logNames[0]), start, tools),
    logNames
  }
}

export function fileOf(files: Files, name: string): Uint8Array {
  const bytes = files.get(name)
  if (bytes === undefined) throw new Error(`there is no ${name}`)
  return bytes
}

/** The base with the script's changes above the checksums. `part` says which files they may concern. */
export function changedFiles(base: Base, script: Script, part: 'data' | 'log' | 'both'): Map<string, Uint8Array> {
  const files = new Map(base.files)
  const data = base.data()
  const log = base.log()
  let hasLog = false
  for (const record of script.records) {
    if (part === 'log' || (part === 'both' && record.op % 3 === 0)) {
      log.change({ ...record, op: Math.floor(record.op / 3) })
      hasLog = true
    } else
      data.change({ ...record, op: part === 'both' ? Math.floor(record.op / 3) * 2 + (record.op % 3) - 1 : record.op })
  }
  files.set(dataFileName, data.bytes)
  if (hasLog) {
    const [first, second] = log.files(fileOf(base.files, base.logNames[0]))
    files.set(base.logNames[0], first)
    files.set(base.logNames[1], second)
  }
  return files
}

/** The base with the script's changes below the checksums: what rot, and a disk that mixes blocks up, do. */
export function rottenFiles(base: Base, script: Script): Map<string, Uint8Array> {
  const files = new Map([...base.files].map(([name, bytes]): [string, Uint8Array] => [name, bytes.slice()]))
  const names = [dataFileName, ...base.logNames]
  for (const { op, item, field, value } of script.records) {
    const name = names[op % 7 === 6 ? 2 : op % 7 < 4 ? 0 : 1] ?? dataFileName
    const bytes = fileOf(files, name)
    if (bytes.length === 0) continue
    const kind = Math.floor(op / 7) % 5
    const block = (number: number) => (number % Math.ceil(bytes.length / rotBytes)) * rotBytes
    if (kind < 2) {
      const at = value % bytes.length
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (item % 8))
    } else if (kind === 2) bytes.fill(0, block(value), block(value) + rotBytes)
    else if (kind === 3) bytes.copyWithin(block(field), block(value), block(value) + rotBytes)
    else files.set(name, bytes.slice(0, value % bytes.length))
  }
  return files
}

const rotBytes = 512
