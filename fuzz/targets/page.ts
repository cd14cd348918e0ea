// Pages, changed in any place and then used: refused by both builds, or used alike and without harm to their neighbours.
import { CORRUPT, IMAGE, MISS, OK, PAGE_BYTES, WANTED_PAGE, WANTED_RECORD } from '../../assembly/state.ts'
import { main, type Operation, Pager, type Saved } from '../../test/kernel/pager.ts'
import { mostScriptBytes, mutateScript, readScript, type ScriptRecord, writeScript } from '../formats/script.ts'
import { expectThat, type Target, type TargetEntry } from '../fuzzer/target.ts'

const pageBytes = 4_096
const kinds = ['leaf', 'branch', 'large', 'child'] as const
type Kind = (typeof kinds)[number]

interface Prepared {
  readonly pager: Pager
  readonly saved: Saved
  readonly id: number
  readonly frame: number
  readonly root: number
  readonly keys: readonly string[]
  /** The frames of two other trees' roots, before and behind the root's. */
  readonly guards: readonly { readonly at: number; readonly content: Uint8Array }[]
}

async function prepare(build: 'wasm' | 'javascript', kind: Kind): Promise<Prepared> {
  const pager = await Pager.make(build, pageBytes, 96)
  pager.commit([2, 3, 4].map((tree): Operation => ({ type: 'create', tree, name: `tree ${tree}` })))
  const isTall = kind === 'branch' || kind === 'child'
  const keys = Array.from(
    { length: isTall ? 60 : 7 },
    (_, i) => `${'abcdefgh'[i % 8]}${'f'.repeat(isTall ? 120 + i : 8)}${i}`
  )
  for (const tree of [2, 4]) pager.put('guard', 'g'.repeat(900), tree)
  for (const [i, key] of keys.entries()) {
    if (kind === 'large' && i % 2 === 0) pager.commit([{ type: 'large', tree: 3, key, segments: 2 }])
    else pager.put(key, 'v'.repeat(i * 3), 3)
  }
  const root = pager.rootOf('tree 3') ?? main.root
  const rootFrame = pager.frame(root)
  const id = kind === 'child' ? firstChild(pager, rootFrame) : root
  const frame = pager.frame(id)
  const guards = [2, 4].map(tree => {
    const at = pager.frame(pager.rootOf(`tree ${tree}`) ?? main.root)
    return { at, content: pager.bytes.slice(at + 64, at + pageBytes) }
  })
  return { pager, saved: pager.save(), id, frame, root, keys, guards }
}

function firstChild(pager: Pager, branch: number): number {
  return pager.cell(branch + 20)
}

async function create(): Promise<Target> {
  const prepared = await Promise.all(
    kinds.map(async kind => [await prepare('javascript', kind), await prepare('wasm', kind)] as const)
  )
  return {
    mostBytes: mostScriptBytes,
    seeds: [0, 1, 2, 3].flatMap(base =>
      [0, 1, 2, 3, 4, 5, 6, 7].map(switches => writeScript({ base, switches, records: [] }))
    ),
    mutate: mutateScript,
    run(input) {
      const { base, switches, records } = readScript(input)
      const [first, second] = (prepared[base % kinds.length] ?? prepared[0] ?? []).map(each =>
        use(each, switches, records)
      )
      expectThat(first === second, `both builds do the same with a page: ${first} and ${second}`)
    }
  }
}

/** What happens to the page and what it does, in one line. */
function use(prepared: Prepared, switches: number, records: readonly ScriptRecord[]): string {
  const { pager, saved, id, frame, guards } = prepared
  const good = pager.bytes.slice(frame, frame + pageBytes)
  for (const record of records) change(pager, frame, record)
  if (!pager.kernel.exports.isSound(frame, id)) {
    const problem = pager.cell(552)
    pager.bytes.set(good, frame)
    return `problem ${problem}`
  }
  try {
    const done = switches % 8 === 0 ? read(prepared) : commit(prepared, operationsOf(prepared, switches % 8))
    for (const { at, content } of guards) {
      const isSame = Buffer.compare(pager.bytes.subarray(at + 64, at + pageBytes), content) === 0
      expectThat(isSame, 'what is done with a page leaves other pages alone')
    }
    return done
  } finally {
    pager.restore(saved)
  }
}

/** One change of the page's bytes: of the header, of a slot, of a cell, anywhere. */
function change(pager: Pager, frame: number, { op, item, field, value }: ScriptRecord): void {
  const { view } = pager
  const count = Math.max(1, view.getUint16(frame + 6, true))
  const slot = frame + Math.min(((64 + view.getUint16(frame + 8, true) + 3) & ~3) + (item % count) * 8, pageBytes - 8)
  const cell = frame + Math.min(view.getUint16(slot + 4, true), pageBytes - 16)
  const kind = op % 6
  if (kind === 0) view.setUint16(frame + 4 + (field % 14) * 2, value, true)
  else if (kind === 1) view.setUint16(slot + 4 + (field % 2) * 2, value, true)
  else if (kind === 2) view.setUint32(slot, value, true)
  else if (kind === 3) view.setUint8(cell + (field % 16), value)
  else if (kind === 4) view.setUint32(cell, value, true)
  else {
    const at = field % pageBytes
    // The memory part is never taken from disk.
    if (at < 32 || at >= 64) view.setUint8(frame + at, value)
  }
}

function read({ pager, root, frame, keys }: Prepared): string {
  const { exports } = pager.kernel
  const found = ['', 'a', ...keys.slice(0, 12), '\xff'].map(key => {
    return answer(() => pager.get({ tree: 3, root }, key)?.length ?? -1)
  })
  const rows = [false, true].map(reverse => answer(() => pager.scan({ tree: 3, root }, { reverse }).length))
  const packed = exports.packImage(frame, pager.cell(IMAGE), 1)
  expectThat(packed <= pager.cell(PAGE_BYTES), 'an image is no larger than a page')
  return `${found} ${rows} ${packed}`
}

/** The result, or that damage was seen. */
function answer(run: () => number): number | string {
  try {
    return run()
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    if (message.startsWith(`status ${CORRUPT}`) || message.includes('has no image')) return 'damage'
    throw error
  }
}

function operationsOf({ keys }: Prepared, number: number): Operation[] {
  const tree = 3
  const put = (key: string, size: number): Operation => ({ type: 'put', tree, key, value: 'w'.repeat(size) })
  const some = keys.filter((_, i) => i % 6 === 1)
  if (number === 1) return some.map((key, i) => put(key, i * 3))
  if (number === 2) return ['A', 'b', ...some, 'zz'].map(key => put(`${key.slice(0, 100)}+`, 300))
  if (number === 3) return keys.map((key): Operation => ({ type: 'delete', tree, key }))
  if (number === 4) return [{ type: 'clear', tree, from: 'b', to: 'e' }]
  if (number === 5) return [{ type: 'clear', tree, from: '', to: undefined }]
  if (number === 6) return [{ type: 'drop', tree, name: 'tree 3' }]
  return [{ type: 'large', tree, key: some[0] ?? 'a', segments: 1 }, put('c', 10)]
}

function commit({ pager }: Prepared, operations: readonly Operation[]): string {
  const { exports } = pager.kernel
  const length = pager.encode(operations)
  let status = exports.commit(length, 0) | 0
  for (let misses = 0; status === MISS && misses < 200; misses++) {
    const entry = exports.entryAt(pager.cell(WANTED_PAGE), 0)
    if (!pager.disk.has(pager.cell(entry))) break
    pager.bringIn(pager.cell(WANTED_PAGE), pager.cell(WANTED_RECORD))
    status = exports.resumeCommit() | 0
  }
  expectThat([OK, MISS, CORRUPT].includes(status), `a commit ends well or tells of damage, not with ${status}`)
  return `status ${status}`
}

export const pageTarget: TargetEntry = {
  name: 'page',
  what: 'pages: refused, or harmless, alike in both builds',
  create
}
