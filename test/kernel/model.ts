// What a kernel should hold: sorted maps, and copies of them for snapshots.
import { catalog, main, type Operation, type Pager, type Range, type Row } from './pager.ts'
import { generator } from './samples.ts'

export const keyShapes = ['numbered', 'long', 'binary', 'zeros', 'alien', 'fat'] as const
export type KeyShape = (typeof keyShapes)[number]

/** A key of the shape; `spread` says how many there can be. */
export function keyOf(shape: KeyShape, random: () => number, spread: number): string {
  const n = random() % spread
  switch (shape) {
    case 'numbered':
      return `user:${String(n).padStart(8, '0')}`
    case 'long': {
      const number = String(n).padStart(6, '0')
      return n % 5 === 0 ? `${'p'.repeat(1018)}${number}` : `${'p'.repeat(900 + (n % 3) * 40)}${number}`
    }
    case 'binary': {
      const inner = generator(n)
      const length = 1 + (inner() % 24)
      return String.fromCharCode(
        ...Array.from({ length }, () => {
          const kind = inner() % 4
          return kind === 0 ? 0 : kind === 1 ? 0xff : inner() & 0xff
        })
      )
    }
    case 'zeros': {
      const inner = generator(n >>> 6)
      return `${'ab'.repeat(inner() % 3)}${String.fromCharCode(97 + (inner() % 3))}${'\0'.repeat(n & 63)}`
    }
    case 'alien':
      if (n % 17 === 0) return String.fromCharCode(n & 0xff, (n >>> 8) & 0xff).slice(0, 1 + (n & 1))
      if (n % 13 === 0) return `${'q'.repeat((n * 7) % 1000)}\xff`
      return `${'q'.repeat(1000)}${String(n).padStart(6, '0')}`
    case 'fat':
      // Neighbours differ in their last byte only, others in the first few: branches hold few children, trees are high.
      return `${(((n >>> 3) * 2654435761) >>> 0).toString(16)}${'f'.repeat(960)}${n & 7}`
  }
}

interface Tree {
  readonly tree: number
  readonly name: string
  root: number
  readonly rows: Map<string, string>
}

type Content = ReadonlyMap<number, { readonly root: number; readonly rows: ReadonlyMap<string, string> }>

export interface Taken {
  readonly handle: number
  readonly content: Content
}

/** A kernel and what it should hold, changed together. */
export class Model {
  readonly pager: Pager
  readonly trees = new Map<number, Tree>([[main.tree, { tree: main.tree, name: '', root: main.root, rows: new Map() }]])
  readonly snapshots: Taken[] = []
  #nextTree = 2

  constructor(pager: Pager) {
    this.pager = pager
  }

  newTree(): { tree: number; name: string } {
    const tree = this.#nextTree++
    return { tree, name: `tree ${tree % 7} ${tree}` }
  }

  commit(operations: readonly Operation[]): void {
    const before = this.#largeSectors(operations)
    this.pager.commit(operations)
    for (const operation of operations) this.#apply(operation, before)
    for (const tree of this.trees.values()) {
      if (tree.root === 0) tree.root = this.pager.rootOf(tree.name) ?? 0
    }
  }

  /** Sectors are handed out in order, so what large values will be called is known beforehand. */
  #largeSectors(operations: readonly Operation[]): Iterator<string> {
    let next = this.pager.nextSector
    const names: string[] = []
    for (const operation of operations) {
      if (operation.type !== 'large') continue
      names.push(`large ${next}`)
      next += operation.segments
    }
    return names.values()
  }

  #apply(operation: Operation, large: Iterator<string>): void {
    if (operation.type === 'create') {
      this.trees.set(operation.tree, { tree: operation.tree, name: operation.name, root: 0, rows: new Map() })
      return
    }
    if (operation.type === 'drop') {
      this.trees.delete(operation.tree)
      return
    }
    const rows = this.trees.get(operation.tree)?.rows
    if (!rows) throw new Error(`the model has no tree ${operation.tree}`)
    if (operation.type === 'put') rows.set(operation.key, operation.value)
    else if (operation.type === 'large') rows.set(operation.key, String(large.next().value))
    else if (operation.type === 'delete') rows.delete(operation.key)
    else {
      const { from, to } = operation
      for (const key of rows.keys()) if (key >= from && (to === undefined || key < to)) rows.delete(key)
    }
  }

  content(): Content {
    return new Map(
      Array.from(this.trees.values(), ({ tree, root, rows }) => [tree, { root, rows: new Map(rows) }] as const)
    )
  }

  openSnapshot(): void {
    this.snapshots.push({ handle: this.pager.openSnapshot(), content: this.content() })
  }

  closeSnapshot(index: number): void {
    const [taken] = this.snapshots.splice(index, 1)
    if (taken) this.pager.closeSnapshot(taken.handle)
  }

  /** Compares everything, forwards or backwards, as of a snapshot or of now. */
  compare(content: Content = this.content(), snapshot = 0, range: Range = {}, batch?: number): void {
    const names = this.pager.scan(catalog, {}, snapshot)
    if (names.length !== content.size - 1) throw new Error(`${names.length} names in the catalog`)
    for (const [tree, { root, rows }] of content) {
      const found = this.pager.scan({ tree, root }, range, snapshot, batch)
      sameRows(found, inRange(rows, range), `tree ${tree}, snapshot ${snapshot}, ${JSON.stringify(range)}`)
    }
  }

  compareSnapshots(range: Range = {}): void {
    for (const { handle, content } of this.snapshots) this.compare(content, handle, range)
  }
}

export function inRange(rows: ReadonlyMap<string, string>, range: Range): Row[] {
  const { lower, upper } = range
  const found: Row[] = []
  for (const [key, value] of rows) {
    if (lower !== undefined && (range.lowerOpen ? key <= lower : key < lower)) continue
    if (upper !== undefined && (range.upperClosed ? key > upper : key >= upper)) continue
    found.push({ key, value: range.keysOnly ? '' : value })
  }
  found.sort((a, b) => (a.key < b.key ? -1 : 1))
  return range.reverse ? found.reverse() : found
}

export function sameRows(found: readonly Row[], wanted: readonly Row[], where: string): void {
  const length = Math.max(found.length, wanted.length)
  for (let i = 0; i < length; i++) {
    if (found[i]?.key === wanted[i]?.key && found[i]?.value === wanted[i]?.value) continue
    throw new Error(`${where}: row ${i} of ${wanted.length} is ${show(found[i])} and should be ${show(wanted[i])}`)
  }
}

function show(row: Row | undefined): string {
  return row ? `${JSON.stringify(row.key.slice(-40))} = ${JSON.stringify(row.value.slice(0, 20))}` : 'missing'
}
