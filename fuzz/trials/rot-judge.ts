// What must hold for a database with one damage: nothing that is read is wrong, what cannot be read is reported, and a
// repair brings back everything that the damage has not touched.
import { assert, isLightningError } from '../../src/errors.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { repair } from '../../src/engine/repair.ts'
import { dataFileName } from '../../src/store/format.ts'
import { type Content, contentOf, openEngine, path, utf8 } from '../../test/engine/content.ts'
import type { Extent } from '../../test/support/anatomy.ts'
import type { SimulatedDisk } from '../../test/support/simulated-disk.ts'
import type { Counts } from '../runner/trial.ts'
import { diskOf, type RotBase } from './rot-base.ts'

/** One damage: the files with it, and which bytes of which file it may have changed. */
export interface Rotten {
  readonly what: string
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly file: string
  readonly ranges: readonly { readonly from: number; readonly to: number }[]
  readonly isOneBit: boolean
  /** Whether two blocks have changed places. */
  readonly isExchange: boolean
}

const cacheBytes = 4 << 20

export async function judge(base: RotBase, rotten: Rotten): Promise<Counts> {
  const counts = await judgeReading(base, rotten)
  return { ...counts, ...(await judgeRepair(base, rotten)) }
}

/** Opens, reads everything and verifies. */
async function judgeReading(base: RotBase, rotten: Rotten): Promise<Counts> {
  let engine: Engine
  try {
    engine = await openEngine(diskOf(rotten.files).vfs(), { cacheBytes })
  } catch (error) {
    assert(isLightningError(error, 'LIGHTNING_CORRUPT'), `opening tells the damage (${rotten.what}): ${error}`)
    assert(error.file !== undefined, `the error names the file (${rotten.what}): ${error}`)
    return { refused: 1 }
  }
  try {
    const unread = readAll(engine, base, rotten)
    const report = await engine.verify()
    assert(unread === 0 || !report.ok, `verify finds what reading finds (${rotten.what})`)
    if (base.isClosed && touches(base, rotten)) assert(!report.ok, `verify finds the damage (${rotten.what})`)
    return { opened: 1, found: report.ok ? 0 : 1 }
  } finally {
    await engine.close().catch(error => assert(isLightningError(error), `close rejects with typed errors: ${error}`))
  }
}

/** All keys together must read as in one of the known states; gives the number of those that cannot be read. */
function readAll(engine: Engine, base: RotBase, rotten: Rotten): number {
  const whole = attempt(() => contentOf(engine))
  if (whole !== undefined) {
    assert(
      base.states.some(state => isSame(state, whole)),
      `what is read is a state that was written (${rotten.what})`
    )
    return 0
  }
  const keys = new Set(base.states.flatMap(state => [...state.keys()]))
  const found = new Map<string, string | undefined>()
  for (const name of keys) {
    const [sublevel = '', key = ''] = name.split('/')
    const value = attempt(() => ({ got: engine.get(engine.tree(path(sublevel)), undefined, key, utf8, utf8) }))
    if (value !== undefined) found.set(name, typeof value.got === 'string' ? value.got : undefined)
  }
  const isRight = base.states.some(state => [...found].every(([key, value]) => state.get(key) === value))
  assert(isRight, `what is read beside the damage is right (${rotten.what})`)
  return keys.size - found.size + 1
}

/** The result, or undefined if the damage is reported; other errors are thrown. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (isLightningError(error, 'LIGHTNING_CORRUPT')) return undefined
    throw error
  }
}

async function judgeRepair(base: RotBase, rotten: Rotten): Promise<Counts> {
  const disk = diskOf(rotten.files)
  const { recovered, lost } = await repair(disk.vfs(), { cacheBytes })
  const content = await contentAfter(disk, rotten)
  assert(content.size === recovered, `repair counts what it recovered (${rotten.what})`)
  const excused = excusedKeys(base, rotten)
  const isExplained = base.states.some(state => {
    for (const [key, value] of content) if (state.get(key) !== value) return false
    for (const key of state.keys()) if (!content.has(key) && excused !== 'all' && !excused.has(key)) return false
    return true
  })
  assert(
    isExplained,
    `repair brings back what is undamaged, and nothing else (${rotten.what}: ${content.size} of ${base.states[0]?.size})`
  )
  const [newest] = base.states
  const isWhole = newest !== undefined && isSame(newest, content)
  assert(isWhole || lost.length > 0 || !base.isClosed, `repair tells what is lost (${rotten.what})`)
  return { repairs: 1, recovered }
}

/** Opens what was repaired, which must be sound and writable. Sublevels whose names were lost get their names back. */
async function contentAfter(disk: SimulatedDisk, rotten: Rotten): Promise<Content> {
  const engine = await openEngine(disk.vfs(), { cacheBytes })
  const content = contentOf(engine)
  assert((await engine.verify()).ok, `what was repaired is sound (${rotten.what})`)
  engine.put(engine.tree(path('')), 'later', utf8, 'write', utf8)
  await engine.close()
  const again = await openEngine(disk.vfs(), { cacheBytes })
  const later = again.get(again.tree(path('')), undefined, 'later', utf8, utf8)
  await again.close()
  assert(later === 'write', `what was repaired can be written (${rotten.what})`)
  const named = [...content].map(([key, value]): [string, string] => [
    key.replace(/^recovered-2\//, 'one/').replace(/^recovered-3\//, 'two/'),
    value
  ])
  return new Map(named)
}

/** Keys that stood in what was damaged; all of them when the damage took both places of a part of the page table. */
function excusedKeys({ anatomy, states }: RotBase, rotten: Rotten): ReadonlySet<string> | 'all' {
  const keys = new Set<string>()
  if (rotten.file !== dataFileName) return keys
  const hit = anatomy.extents.filter(({ from, to }) => rotten.ranges.some(range => range.from < to && from < range.to))
  const isHit = (wanted: Extent['kind'], of: number): boolean =>
    hit.some(({ kind, id }) => kind === wanted && id === of)
  const isTableGone = hit.some(
    ({ kind, id }) =>
      (kind === 'directory' && isHit('directory copy', id)) || (kind === 'chunk' && isHit('chunk copy', id))
  )
  // An exchange of blocks can hit both, but leaves each of their blocks somewhere.
  if (isTableGone && !rotten.isExchange) return 'all'
  const pages = new Set(hit.filter(({ kind }) => kind === 'leaf' || kind === 'segment').map(({ id }) => id))
  const decoder = new TextDecoder()
  const names = ['', '', 'one', 'two']
  for (const entry of anatomy.entries) {
    if (pages.has(entry.leaf) || entry.segments.some(segment => pages.has(segment))) {
      keys.add(`${names[entry.tree] ?? ''}/${decoder.decode(entry.key)}`)
    }
  }
  // Large values that the log names stand where the checkpoint knows of nothing.
  for (const key of states[0]?.keys() ?? []) if (states.length > 1 && key.startsWith('/large')) keys.add(key)
  return keys
}

/** Whether the damage has changed a byte that the closed database rests on. */
function touches({ anatomy, files }: RotBase, rotten: Rotten): boolean {
  if (rotten.file !== dataFileName) return false
  const before = files.get(dataFileName)
  const after = rotten.files.get(dataFileName)
  if (before === undefined || after === undefined) return true
  return anatomy.extents.some(({ from, to }) =>
    rotten.ranges.some(range => {
      for (let at = Math.max(from, range.from); at < Math.min(to, range.to); at++) {
        if (before[at] !== after[at]) return true
      }
      return false
    })
  )
}

function isSame(one: Content, other: Content): boolean {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value)
}
