import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import xxhash from 'xxhash-wasm'
import { CONTINUES, FRAME_HEADER_BYTES, INCARNATION } from '../../assembly/log.ts'
import * as operations from '../../assembly/operations.ts'
import * as page from '../../assembly/page.ts'
import * as table from '../../assembly/table.ts'
import { segmentBytes } from '../../src/engine/large-values.ts'
import { open } from '../../src/index.ts'
import * as format from '../../src/store/format.ts'
import { decodeMeta, encodeMeta, type Meta } from '../../src/store/meta.ts'
import { mostFrameBytes } from '../../src/wal/log-reader.ts'
import { referenceDecompress } from '../kernel/lz4-reference.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { fieldsOf, offsetOf, root, rowsOf, Structure, sizeOf, structures } from './layout.ts'

const { h32Raw } = await xxhash()
const checksum = (bytes: Uint8Array, seed: number) => h32Raw(bytes, seed >>> 0)
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

describe('the tables of docs/file-format.md', () => {
  test.each(structures)('leave no gap and no overlap in a %s', structure => {
    let end: number | undefined = 0
    for (const { name, offset, size } of fieldsOf(structure)) {
      if (offset !== undefined && end !== undefined) expect(offset, name).toBe(end)
      end = offset === undefined || size === undefined ? undefined : offset + size
    }
  })

  test('are as long as the constants say', () => {
    expect(sizeOf('Meta slot')).toBe(format.metaBytes)
    expect(sizeOf('Directory entry')).toBe(format.directoryEntryBytes)
    expect(sizeOf('Table entry')).toBe(format.entryBytes)
    expect(sizeOf('Table entry')).toBe(table.ENTRY_BYTES)
    expect(sizeOf('Page')).toBe(page.HEADER_BYTES)
    expect(sizeOf('Slot')).toBe(page.SLOT_BYTES)
    expect(offsetOf('Leaf cell', 'suffix')).toBe(page.CELL_BYTES)
    expect(offsetOf('Branch cell', 'suffix')).toBe(page.CELL_BYTES)
    expect(sizeOf('Large value')).toBe(page.LARGE_REFERENCE_BYTES)
    expect(offsetOf('Log frame', 'operations')).toBe(FRAME_HEADER_BYTES)
    expect(offsetOf('Operation', 'key')).toBe(operations.OPERATION_HEADER_BYTES)
    expect(sizeOf('Segment description')).toBe(12)
  })

  test('name the operations as the code does', () => {
    const { PUT, DELETE, CLEAR, PUT_LARGE, CREATE, DROP, NOTE } = operations
    const known = { PUT, DELETE, CLEAR, PUT_LARGE, CREATE, DROP, NOTE }
    const named = [...rowsOf('Operation', 'type')].map(([type, [name = '']]) => [name, Number(type)])
    expect(Object.fromEntries(named)).toEqual(known)
  })

  test('name the files and trees as the code does', () => {
    const files = [...rowsOf('Files', 'file').keys()].join()
    for (const name of [format.dataFileName, format.newDataFileName, ...format.logFileNames]) {
      expect(files).toContain(`\`${name}\``)
    }
    const trees = rowsOf('Trees', 'tree')
    expect(trees.get(String(operations.CATALOG_TREE))?.[0]).toBe(String(operations.CATALOG_ROOT))
    expect(trees.get(String(operations.MAIN_TREE))?.[0]).toBe(String(operations.MAIN_ROOT))
  })

  test('stand among sentences that give the same numbers as the constants', async () => {
    const document = (await readFile(join(root, 'docs/file-format.md'), 'utf8')).replaceAll(/\s+/g, ' ')
    const said = (pattern: RegExp) => Number(pattern.exec(document)?.[1]?.replaceAll(',', ''))
    expect(said(/blocks of ([\d,]+) bytes/)).toBe(format.blockBytes)
    expect(said(/eight sectors of ([\d,]+)/)).toBe(format.sectorBytes)
    expect(format.sectorsPerBlock).toBe(8)
    expect(said(/chunks of ([\d,]+) entries/)).toBe(format.chunkIds)
    expect(said(/entries, ([\d,]+) bytes/)).toBe(format.chunkBytes)
    expect(said(/segments of ([\d,]+) bytes/)).toBe(segmentBytes)
    expect(said(/several frames of at most ([\d,]+) bytes/)).toBe(mostFrameBytes)
    expect(said(/now \*\*([\d,]+)\*\*/)).toBe(format.formatVersion)
    expect(format.knownFeatures).toBe(0)
    expect([table.FORMAT_RAW, table.FORMAT_LZ4, table.ENTRY_LARGE, table.ENTRY_HAS_LARGE]).toEqual([1, 2, 16, 32])
    expect([page.LEAF, page.BRANCH, page.CELL_LARGE, page.PAGE_HAS_LARGE]).toEqual([1, 2, 1, 1])
    expect([CONTINUES, INCARNATION]).toEqual([1, 2])
  })
})

describe('a meta slot', () => {
  const meta: Meta = {
    pageBytes: 8192,
    databaseId: Uint8Array.from({ length: 16 }, (_, i) => i + 1),
    timeline: Uint8Array.from({ length: 8 }, (_, i) => i + 101),
    number: 2 ** 33 + 5,
    lsn: 2 ** 34 + 7,
    epoch: 2 ** 35 + 11,
    timeMs: 2 ** 40 + 13,
    logFile: 1,
    logOffset: 2 ** 32 + 24,
    logPrevious: 0xdeadbeef,
    incarnation: [0x01020304, 0xf0e0d0c0],
    tableLimit: 1234,
    chunkCount: 5,
    directorySector: 77,
    directoryBytes: 80,
    directoryChecksum: 0xcafebabe,
    directoryCopySector: 99,
    nextTree: 9,
    closed: true
  }
  const slot = new Structure('Meta slot', encodeMeta(meta, checksum))

  test('has every field where the table says', () => {
    expect(text(slot.bytes('magic'))).toBe('LightnDB')
    expect(slot.number('version')).toBe(format.formatVersion)
    expect(slot.number('required features')).toBe(0)
    expect(slot.number('optional features')).toBe(0)
    expect(slot.number('page bytes')).toBe(meta.pageBytes)
    expect(slot.bytes('database id')).toEqual(meta.databaseId)
    expect(slot.bytes('timeline')).toEqual(meta.timeline)
    expect(slot.number('number')).toBe(meta.number)
    expect(slot.number('lsn')).toBe(meta.lsn)
    expect(slot.number('epoch')).toBe(meta.epoch)
    expect(slot.number('time')).toBe(meta.timeMs)
    expect(slot.number('log file')).toBe(meta.logFile)
    expect(slot.number('log previous')).toBe(meta.logPrevious)
    expect(slot.number('log offset')).toBe(meta.logOffset)
    expect([...new Uint32Array(slot.bytes('incarnation').slice().buffer)]).toEqual(meta.incarnation)
    expect(slot.number('table limit')).toBe(meta.tableLimit)
    expect(slot.number('chunk count')).toBe(meta.chunkCount)
    expect(slot.number('directory sector')).toBe(meta.directorySector)
    expect(slot.number('directory bytes')).toBe(meta.directoryBytes)
    expect(slot.number('directory checksum')).toBe(meta.directoryChecksum)
    expect(slot.number('directory copy sector')).toBe(meta.directoryCopySector)
    expect(slot.number('next tree')).toBe(meta.nextTree)
    expect(slot.number('flags')).toBe(1)
    expect(slot.bytes('zero').every(byte => byte === 0)).toBe(true)
    expect(slot.number('checksum')).toBe(checksum(slot.slice(0, offsetOf('Meta slot', 'checksum')), 0))
  })

  test('of a newer version, or with an unknown required feature, is refused by its code; optional ones are not', () => {
    const changed = (field: string, value: number) => {
      const bytes = encodeMeta(meta, checksum)
      const view = new DataView(bytes.buffer)
      view.setUint32(offsetOf('Meta slot', field), value, true)
      view.setUint32(offsetOf('Meta slot', 'checksum'), checksum(bytes.subarray(0, -4), 0), true)
      return () => decodeMeta(bytes, checksum, 'data.ldb')
    }
    expect(changed('version', 2)).toThrow(expect.objectContaining({ code: 'LIGHTNING_VERSION' }))
    expect(changed('required features', 0x80000000)).toThrow(expect.objectContaining({ code: 'LIGHTNING_VERSION' }))
    expect(changed('optional features', 0x80000000)()).toEqual(meta)
  })
})

/** Reads a data file by the document alone. */
class DocumentReader {
  readonly meta: Structure
  readonly #file: Uint8Array

  constructor(file: Uint8Array) {
    this.#file = file
    const slots = [0, format.blockBytes].map(at => new Structure('Meta slot', file, at))
    for (const slot of slots) expect(slot.number('checksum')).toBe(checksum(slot.slice(0, 508), 0))
    const [first, second] = slots
    if (first === undefined || second === undefined) throw new Error('there are two slots')
    this.meta = second.number('number') > first.number('number') ? second : first
  }

  /** The table's entry of a page. */
  entry(id: number): Structure {
    const directory = this.#sectors(this.meta.number('directory sector'), this.meta.number('directory bytes'))
    expect(checksum(directory, 0)).toBe(this.meta.number('directory checksum'))
    const number = Math.floor(id / format.chunkIds)
    const named = new Structure('Directory entry', directory, number * sizeOf('Directory entry'))
    const chunk = this.#sectors(named.number('sector'), named.number('bytes'))
    expect(checksum(chunk, number)).toBe(named.number('checksum'))
    return new Structure('Table entry', chunk, (id % format.chunkIds) * sizeOf('Table entry'))
  }

  /** What the entry names, checked and unpacked. */
  content(entry: Structure, seed: number, bytes: number): Uint8Array {
    const stored = this.#sectors(entry.number('sector'), entry.number('stored bytes'))
    expect(checksum(stored, seed)).toBe(entry.number('checksum'))
    return (entry.number('format') & 15) === 2 ? referenceDecompress(stored, bytes) : stored
  }

  page(id: number): Uint8Array {
    const bytes = this.content(this.entry(id), id, this.meta.number('page bytes'))
    expect(new Structure('Page', bytes).number('page id')).toBe(id)
    return bytes
  }

  /** Looks a key up, from the root down. */
  find(rootId: number, key: Uint8Array): { value: Uint8Array; flags: number; levels: number } | undefined {
    let id = rootId
    let levels = 1
    for (;;) {
      const bytes = this.page(id)
      const header = new Structure('Page', bytes)
      const rows = slotsOf(bytes)
      if (header.number('kind') === 1) {
        const row = rows.find(each => Buffer.compare(each.key, key) === 0)
        if (row === undefined) return undefined
        const cell = new Structure('Leaf cell', bytes, row.cell)
        const value = cell.slice(sizeOf('Leaf cell') + row.suffixBytes, cell.number('value bytes'))
        return { value, flags: cell.number('flags'), levels }
      }
      const row = rows.findLast(each => Buffer.compare(each.key, key) <= 0)
      id =
        row === undefined ? header.number('first child') : new Structure('Branch cell', bytes, row.cell).number('child')
      levels++
    }
  }

  #sectors(sector: number, bytes: number): Uint8Array {
    expect(sector).toBeGreaterThan(0)
    return this.#file.subarray(sector * format.sectorBytes, sector * format.sectorBytes + bytes)
  }
}

/** The slots of a page with their whole keys. */
function slotsOf(bytes: Uint8Array): { key: Uint8Array; cell: number; suffixBytes: number }[] {
  const header = new Structure('Page', bytes)
  const prefix = bytes.subarray(sizeOf('Page'), sizeOf('Page') + header.number('prefix bytes'))
  const first = Math.ceil((sizeOf('Page') + prefix.length) / 4) * 4
  return Array.from({ length: header.number('count') }, (_, i) => {
    const slot = new Structure('Slot', bytes, first + i * sizeOf('Slot'))
    const cell = slot.number('cell offset')
    const suffixBytes = slot.number('suffix bytes')
    const suffix = bytes.subarray(cell + page.CELL_BYTES, cell + page.CELL_BYTES + suffixBytes)
    expect(cell).toBeGreaterThanOrEqual(header.number('heap start'))
    const head = Buffer.concat([suffix, Buffer.alloc(4)]).readUInt32BE()
    expect(slot.number('head')).toBe(head)
    return { key: Buffer.concat([prefix, suffix]), cell, suffixBytes }
  })
}

describe.each(['lz4', 'none'] as const)('a database written with compression %s', compression => {
  const large = Uint8Array.from({ length: 600_000 }, (_, i) => (i * i) >> 7)
  const keyOf = (i: number) => `key:${String(i).padStart(6, '0')}`

  async function written(): Promise<DocumentReader> {
    const directory = join(await temporaryDirectory(), 'db')
    const db = await open(directory, { compression, pageSize: 4096, valueEncoding: 'utf8' })
    await db.batch(Array.from({ length: 3_000 }, (_, i) => ({ type: 'put', key: keyOf(i), value: `value ${i}` })))
    await db.put('large', large, { valueEncoding: 'view' })
    const inner = db.sublevel('outer\0').sublevel('inner')
    await inner.put('inside', 'found')
    await db.close()
    expect(await readdir(directory)).toEqual(expect.arrayContaining(['data.ldb', 'wal-0.ldb', 'wal-1.ldb']))
    return new DocumentReader(await readFile(join(directory, 'data.ldb')))
  }

  test('can be read with nothing but the document', async () => {
    const reader = await written()
    expect(reader.meta.number('page bytes')).toBe(4096)
    expect(reader.meta.number('flags')).toBe(1)
    const found = [0, 1_234, 2_999].map(i => reader.find(operations.MAIN_ROOT, Buffer.from(keyOf(i))))
    expect(found.map(each => text(each?.value ?? new Uint8Array()))).toEqual(['value 0', 'value 1234', 'value 2999'])
    expect(found[0]?.levels).toBeGreaterThan(1)
    expect(reader.find(operations.MAIN_ROOT, Buffer.from('key:'))).toBeUndefined()
  })

  test('holds a large value as segments that lead to each other', async () => {
    const reader = await written()
    const cell = reader.find(operations.MAIN_ROOT, Buffer.from('large'))
    expect(cell?.flags).toBe(page.CELL_LARGE)
    const reference = new Structure('Large value', cell?.value ?? new Uint8Array())
    expect(reference.number('total bytes')).toBe(large.length)
    const parts: Uint8Array[] = []
    let rest = large.length
    for (let id = reference.number('first segment'); id !== 0; ) {
      const entry = reader.entry(id)
      expect(entry.number('format') & table.ENTRY_LARGE).toBe(table.ENTRY_LARGE)
      parts.push(reader.content(entry, 0, Math.min(rest, segmentBytes)))
      rest -= segmentBytes
      id = entry.number('next')
    }
    expect(Buffer.compare(Buffer.concat(parts), large)).toBe(0)
    expect(parts.length).toBe(3)
  })

  test('names its sublevels in the catalog by escaped paths', async () => {
    const reader = await written()
    const path = Buffer.from('outer\0\xff\0\x01inner\0\x01', 'latin1')
    const place = new Structure('Catalog entry', reader.find(operations.CATALOG_ROOT, path)?.value ?? new Uint8Array())
    expect(text(reader.find(place.number('root'), Buffer.from('inside'))?.value ?? new Uint8Array())).toBe('found')
    expect(new Structure('Page', reader.page(place.number('root'))).number('tree')).toBe(place.number('tree'))
    expect(reader.meta.number('next tree')).toBe(place.number('tree') + 1)
  })
})

describe('a log', () => {
  interface Frame {
    readonly frame: Structure
    readonly operations: readonly { type: number; key: string; value: Uint8Array }[]
  }

  /** The frames of a chain, read by the document alone. */
  function framesOf(log: Uint8Array, meta: Structure): Frame[] {
    const identity = checksum(meta.bytes('database id'), checksum(meta.bytes('timeline'), 1))
    const frames: Frame[] = []
    let previous = meta.number('log previous')
    for (let at = meta.number('log offset'); at + FRAME_HEADER_BYTES <= log.length; ) {
      const frame = new Structure('Log frame', log, at)
      const bytes = frame.number('bytes')
      if (bytes === 0) break
      expect(frame.number('identity')).toBe(identity)
      expect(frame.number('previous')).toBe(previous)
      previous = frame.number('checksum')
      expect(previous).toBe(checksum(frame.slice(8, bytes - 8), identity + bytes))
      const all = frame.slice('operations', frame.number('operation bytes'))
      expect(bytes).toBe(Math.ceil((FRAME_HEADER_BYTES + all.length) / 8) * 8)
      const found: { type: number; key: string; value: Uint8Array }[] = []
      for (let from = 0; from < all.length; ) {
        const operation = new Structure('Operation', all, from)
        const keyBytes = operation.number('key bytes')
        const valueBytes = operation.number('value bytes')
        const valueAt = offsetOf('Operation', 'key') + keyBytes
        const key = text(operation.slice('key', keyBytes))
        found.push({ type: operation.number('type'), key, value: operation.slice(valueAt, valueBytes) })
        from += valueAt + valueBytes
      }
      frames.push({ frame, operations: found })
      at += bytes
    }
    return frames
  }

  test('can be read with nothing but the document', async () => {
    const directory = join(await temporaryDirectory(), 'db')
    const db = await open(directory, { valueEncoding: 'utf8' })
    const large = 'x'.repeat(300_000)
    await db.put('a', '1')
    await db.batch([
      { type: 'put', key: 'b', value: '2' },
      { type: 'del', key: 'a' }
    ])
    await db.clear({ gte: 'b', lt: 'c' })
    await db.put('large', large)
    await db.sublevel('s').put('k', 'v')
    await db.dropSublevel('s')
    await Promise.all([db.put('c', '3'), db.put('d', '4'), db.del('c')])
    const data = await readFile(join(directory, format.dataFileName))
    const { meta } = new DocumentReader(data)
    const log = await readFile(join(directory, format.logFileNames[meta.number('log file') === 0 ? 0 : 1]))
    await db.close()

    const [opening, ...frames] = framesOf(log, meta)
    const { PUT, DELETE, CLEAR, PUT_LARGE, CREATE, DROP, NOTE } = operations
    expect(opening?.frame.number('flags')).toBe(INCARNATION)
    expect(opening?.operations[0]?.type).toBe(NOTE)
    expect(Buffer.compare(opening?.operations[0]?.value ?? new Uint8Array(), meta.bytes('incarnation'))).toBe(0)
    const types = frames.map(each => each.operations.map(({ type, key }) => [type, key]))
    expect(types).toEqual([
      [[PUT, 'a']],
      [
        [PUT, 'b'],
        [DELETE, 'a']
      ],
      [[CLEAR, 'b']],
      [[PUT_LARGE, 'large']],
      [
        [CREATE, 's\0\x01'],
        [PUT, 'k']
      ],
      [[DROP, 's\0\x01']],
      [
        [PUT, 'c'],
        [PUT, 'd'],
        [DELETE, 'c']
      ]
    ])
    expect(frames.map(each => each.frame.number('lsn'))).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(frames.map(each => each.frame.number('durable lsn'))).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(frames.every(each => each.frame.number('flags') === 0)).toBe(true)
    expect(frames.map(each => each.frame.number('further commits'))).toEqual([0, 0, 0, 0, 0, 0, 2])
    expect(text(frames[2]?.operations[0]?.value ?? new Uint8Array())).toBe('c')

    const description = frames[3]?.operations[0]?.value ?? new Uint8Array()
    expect(new DataView(description.buffer, description.byteOffset).getUint32(0, true)).toBe(large.length)
    let unpacked = ''
    for (let at = 4; at < description.length; at += sizeOf('Segment description')) {
      const segment = new Structure('Segment description', description, at)
      expect(segment.number('format')).toBe(table.FORMAT_LZ4 | table.ENTRY_LARGE)
      const from = segment.number('sector') * format.sectorBytes
      const stored = data.subarray(from, from + segment.number('stored bytes'))
      expect(segment.number('checksum')).toBe(checksum(stored, 0))
      unpacked += text(referenceDecompress(stored, Math.min(segmentBytes, large.length - unpacked.length)))
    }
    expect(unpacked).toBe(large)
  })
})

describe('a lock file', () => {
  test('is a line of JSON with exactly the properties of the table', async () => {
    const directory = join(await temporaryDirectory(), 'db')
    const db = await open(directory)
    const json = await readFile(join(directory, 'LOCK.1'), 'utf8')
    await db.close()
    expect(json).toMatch(/^[^\n]*\n$/)
    const documented = [...rowsOf('LOCK files', 'property').keys()].map(name => name.replaceAll('`', ''))
    expect(Object.keys(JSON.parse(json)).sort()).toEqual(documented.sort())
    expect(JSON.parse(json)).toMatchObject({ kind: 'exclusive', pid: process.pid, released: false })
    expect(JSON.parse(await readFile(join(directory, 'LOCK.1'), 'utf8'))).toMatchObject({ released: true })
  })
})
