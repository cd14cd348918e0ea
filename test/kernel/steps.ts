// Steps that a test takes with a model, made by fast-check and small enough to read: what kind of change, how large, and
// a seed for everything else.
import fc from 'fast-check'
import { inRange, type KeyShape, keyOf, type Model, sameRows } from './model.ts'
import { main, type Operation, type Pager, type Range } from './pager.ts'
import { generator } from './samples.ts'

const writes = [
  'put',
  'put',
  'put',
  'ascending',
  'descending',
  'overwrite',
  'delete',
  'delete',
  'deleteRun',
  'clear',
  'clearAll',
  'large',
  'create',
  'drop',
  'mixed'
] as const

type Write = (typeof writes)[number]

export interface Step {
  readonly kind: Write | 'open' | 'close' | 'look'
  readonly seed: number
  readonly size: number
}

/** Rows of steps. */
export const someSteps = fc.array(
  fc.record<Step>({
    kind: fc.constantFrom(...writes, 'open', 'open', 'close', 'look', 'look'),
    seed: fc.nat(1_000_000),
    size: fc.integer({ min: 1, max: 100 })
  }),
  { minLength: 30, maxLength: 70, size: 'max' }
)

/** How many different keys there can be, and how many are put first: few are overwritten often, many make high trees. */
export const someScale = fc.constantFrom(
  { spread: 60, load: 0 },
  { spread: 1500, load: 600 },
  { spread: 20_000, load: 2500 }
)

/** Puts the first keys in random order. */
export function load(model: Model, count: number, shape: KeyShape, spread: number): void {
  const random = generator(count)
  for (let done = 0; done < count; done += 100) {
    model.commit(
      Array.from({ length: 100 }, () => {
        const key = keyOf(shape, random, spread)
        return { type: 'put', tree: main.tree, key, value: valueFor(key, random, model.pager) }
      })
    )
  }
}

/** Takes one step with the model, and so with its kernel. */
export function take(model: Model, step: Step, shape: KeyShape, spread: number): void {
  const random = generator(step.seed)
  if (step.kind === 'open') {
    if (model.snapshots.length < 4) model.openSnapshot()
  } else if (step.kind === 'close') {
    if (model.snapshots.length > 0) model.closeSnapshot(random() % model.snapshots.length)
  } else if (step.kind === 'look') {
    look(model, random, shape, spread)
  } else {
    const operations = operationsOf(model, step.kind, random, step.size, shape, spread)
    if (operations.length > 0) model.commit(operations)
  }
}

function operationsOf(
  model: Model,
  kind: Write,
  random: () => number,
  size: number,
  shape: KeyShape,
  spread: number
): Operation[] {
  const trees = Array.from(model.trees.keys())
  const tree = random() % 3 === 0 ? (trees[random() % trees.length] ?? main.tree) : main.tree
  const rows = model.trees.get(tree)?.rows ?? new Map<string, string>()
  const key = () => keyOf(shape, random, spread)
  const some = () => someOf(rows, random) ?? key()
  const put = (of: string): Operation => ({ type: 'put', tree, key: of, value: valueFor(of, random, model.pager) })
  const remove = (of: string): Operation => ({ type: 'delete', tree, key: of })
  const many = (make: () => Operation) => Array.from({ length: size }, make)
  switch (kind) {
    case 'put':
      return many(() => put(key()))
    case 'ascending':
      return Array.from({ length: size * 2 }, key)
        .sort()
        .map(put)
    case 'descending':
      return Array.from({ length: size * 2 }, key)
        .sort()
        .reverse()
        .map(put)
    case 'overwrite':
      return many(() => put(some()))
    case 'delete':
      return many(() => remove(random() % 3 === 0 ? key() : some()))
    case 'deleteRun': {
      const keys = Array.from(rows.keys()).sort()
      const from = random() % (keys.length + 1)
      const run = keys.slice(from, from + size * 3).map(remove)
      return random() & 1 ? run : run.reverse()
    }
    case 'clear': {
      const [from = '', to = ''] = [random() & 1 ? key() : some(), random() & 1 ? key() : some()].sort()
      return [{ type: 'clear', tree, from, to }]
    }
    case 'clearAll':
      return random() % 3 ? [] : [{ type: 'clear', tree, from: random() & 1 ? '' : key(), to: undefined }]
    case 'large':
      return [key(), some()].map(of => ({ type: 'large', tree, key: of, segments: 1 + (random() % 4) }))
    case 'create': {
      const made = model.newTree()
      return [
        { type: 'create', ...made },
        { type: 'put', tree: made.tree, key: key(), value: 'first' }
      ]
    }
    case 'drop': {
      const dropped = model.trees.get(tree)
      return dropped && tree !== main.tree ? [{ type: 'drop', tree, name: dropped.name }] : []
    }
    case 'mixed':
      return many(() => (random() % 3 === 0 ? remove(some()) : put(key())))
  }
}

function someOf(rows: ReadonlyMap<string, string>, random: () => number): string | undefined {
  return rows.size === 0 ? undefined : Array.from(rows.keys())[random() % rows.size]
}

function valueFor(key: string, random: () => number, pager: Pager): string {
  const most = pager.kernel.exports.inlineBytes() - key.length
  const kind = random() % 12
  const length = kind === 0 ? most : kind === 1 ? 0 : random() % ((kind < 4 ? most : Math.min(most, 60)) + 1)
  return String.fromCharCode(97 + (random() % 26)).repeat(length)
}

/** Reads some keys and a random range, at a random version. */
function look(model: Model, random: () => number, shape: KeyShape, spread: number): void {
  const taken = random() % 3 === 0 ? undefined : model.snapshots[random() % Math.max(model.snapshots.length, 1)]
  const content = taken?.content ?? model.content()
  const snapshot = taken?.handle ?? 0
  for (const [tree, { root, rows }] of content) {
    const where = { tree, root }
    const some = () => (random() & 1 ? undefined : someOf(rows, random)) ?? keyOf(shape, random, spread)
    const range: Range = {
      lower: random() % 3 === 0 ? undefined : some(),
      upper: random() % 3 === 0 ? undefined : some(),
      lowerOpen: random() % 2 === 0,
      upperClosed: random() % 2 === 0,
      reverse: random() % 2 === 0,
      keysOnly: random() % 4 === 0
    }
    for (let i = 0; i < 10; i++) {
      const key = some()
      // Twice: the second answer comes by the shortcut.
      for (const value of [model.pager.get(where, key, snapshot), model.pager.get(where, key, snapshot)]) {
        if (value !== rows.get(key)) throw new Error(`${JSON.stringify(key)} is ${value}, not ${rows.get(key)}`)
      }
    }
    const wanted = inRange(rows, range)
    const batch = random() & 1 ? 1 + (random() % 20) : undefined
    sameRows(model.pager.scan(where, range, snapshot, batch), wanted, JSON.stringify(range))
    const count = model.pager.count(where, { ...range, reverse: false }, snapshot)
    if (count !== wanted.length)
      throw new Error(`${count} rows counted, not ${wanted.length}: ${JSON.stringify(range)}`)
  }
}
