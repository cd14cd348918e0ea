import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

// The tables of docs/file-format.md as programs read them.

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** One row of a table of offsets. Offsets and sizes are undefined where they depend on other fields. */
export interface Field {
  readonly name: string
  readonly offset: number | undefined
  readonly size: number | undefined
}

/** The tables of a document by the heading above them; each is its rows, each row its cells. */
export function tablesOf(path: string): Map<string, string[][][]> {
  const tables = new Map<string, string[][][]>()
  let heading = ''
  let table: string[][] | undefined
  for (const line of readFileSync(`${root}/${path}`, 'utf8').split('\n')) {
    if (line.startsWith('#')) heading = line.replace(/^#+\s*/, '')
    if (!line.startsWith('|')) {
      table = undefined
      continue
    }
    const cells = line.split('|').slice(1, -1)
    if (table === undefined) {
      table = []
      tables.set(heading, [...(tables.get(heading) ?? []), table])
    }
    if (!cells.every(cell => /^ *-+ *$/.test(cell))) table.push(cells.map(cell => cell.trim()))
  }
  return tables
}

const tables = tablesOf('docs/file-format.md')

/** Headings that have a table of offsets. */
export const structures = [...tables].filter(([, all]) => all.some(isLayout)).map(([heading]) => heading)

function isLayout(table: readonly string[][]): boolean {
  return table[0]?.join() === 'offset,size,field,meaning'
}

/** The fields of a structure, in the order of the document. */
export function fieldsOf(structure: string): Field[] {
  const table = (tables.get(structure) ?? []).find(isLayout)
  if (table === undefined) throw new Error(`docs/file-format.md has no table of a ${structure}`)
  return table.slice(1).map(([offset = '', size = '', name = '']) => ({
    name,
    offset: /^\d+$/.test(offset) ? Number(offset) : undefined,
    size: /^\d+$/.test(size) ? Number(size) : undefined
  }))
}

/** The rows of a table that is no layout, by its first cell. */
export function rowsOf(heading: string, firstHeader: string): Map<string, string[]> {
  const table = (tables.get(heading) ?? []).find(rows => rows[0]?.[0] === firstHeader)
  if (table === undefined) throw new Error(`docs/file-format.md has no table of ${firstHeader} under ${heading}`)
  return new Map(table.slice(1).map(([first = '', ...rest]) => [first, rest]))
}

/** Bytes up to the end of the last field that has a fixed place. */
export function sizeOf(structure: string): number {
  return Math.max(...fieldsOf(structure).map(({ offset, size }) => (offset ?? 0) + (size ?? 0)))
}

function fieldOf(structure: string, name: string): { offset: number; size: number | undefined } {
  const field = fieldsOf(structure).find(each => each.name === name)
  if (field?.offset === undefined) throw new Error(`docs/file-format.md gives no offset of ${name} in a ${structure}`)
  return { offset: field.offset, size: field.size }
}

/** Where a field begins. */
export function offsetOf(structure: string, name: string): number {
  return fieldOf(structure, name).offset
}

/** A structure in bytes, read by the tables. */
export class Structure {
  readonly name: string
  readonly #bytes: Uint8Array
  readonly #at: number

  constructor(name: string, bytes: Uint8Array, at = 0) {
    this.name = name
    this.#bytes = bytes
    this.#at = at
  }

  bytes(field: string): Uint8Array {
    const { offset, size } = fieldOf(this.name, field)
    if (size === undefined) throw new Error(`${field} of a ${this.name} has no fixed size`)
    const bytes = this.#bytes.subarray(this.#at + offset, this.#at + offset + size)
    if (bytes.length !== size) throw new Error(`${field} of a ${this.name} lies beyond the end`)
    return bytes
  }

  number(field: string): number {
    return this.bytes(field).reduceRight((sum, byte) => sum * 256 + byte, 0)
  }

  /** `length` bytes from where a field without a size begins, or from `at` bytes into the structure. */
  slice(at: string | number, length: number): Uint8Array {
    const from = this.#at + (typeof at === 'number' ? at : fieldOf(this.name, at).offset)
    return this.#bytes.subarray(from, from + length)
  }
}
