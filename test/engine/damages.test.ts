import { beforeAll, describe, expect, it } from 'vitest'
import { repair as repairFiles } from '../../src/engine/repair.ts'
import { isLightningError } from '../../src/errors.ts'
import { anatomyOf, type Extent } from '../support/anatomy.ts'
import { Random } from '../support/random.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { type Content, contentOf, openEngine, path, someText, utf8 } from './content.ts'
import { expectContent } from './support.ts'

// What somebody reads whose database is damaged: each message names the file, the place in it, the keys or commits
// concerned as far as they are known, and what to do next.

const files = ['data.ldb', 'wal-0.ldb', 'wal-1.ldb'] as const
const walBytes = 1 << 20

/** A database with three thousand entries in each of two keyspaces, and what its files were three checkpoints ago. */
interface Life {
  readonly disk: SimulatedDisk
  readonly older: ReadonlyMap<string, Uint8Array>
  readonly content: Content
}

async function live(isClosed: boolean): Promise<Life> {
  const disk = new SimulatedDisk()
  const engine = await openEngine(disk.vfs(), { walBytes })
  const random = new Random(7)
  const users = engine.tree(path('users'))
  for (const tree of [engine.tree(path('')), users]) {
    for (let i = 0; i < 3_000; i++) engine.put(tree, keyOf(i), utf8, someText(random, 100), utf8)
  }
  await engine.checkpoint()
  const older = new Map(files.map(name => [name, disk.bytes(name)]))
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 300; i++) {
      engine.put(users, keyOf(i * 3), utf8, `newer ${round} ${i}`, utf8)
      if (i % 10 === 0) engine.flushSync()
    }
    engine.flushSync()
    if (round < 2) await engine.checkpoint()
  }
  const content = contentOf(engine)
  if (isClosed) await engine.close()
  const left = isClosed ? disk : disk.kill()
  if (!isClosed) await engine.close().catch(() => undefined)
  return { disk: left, older, content }
}

const keyOf = (i: number) => `key ${i.toString().padStart(5, '0')}`

function change(disk: SimulatedDisk, name: string, how: (bytes: Uint8Array) => Uint8Array | undefined): void {
  const bytes = disk.bytes(name)
  disk.place(name, how(bytes) ?? bytes)
}

const flipAt = (disk: SimulatedDisk, name: string, at: number) =>
  change(disk, name, bytes => {
    bytes[at] = (bytes[at] ?? 0) ^ 0x10
    return bytes
  })

async function pick(disk: SimulatedDisk, kind: Extent['kind'], tree: number): Promise<Extent> {
  const found = (await anatomyOf(disk)).extents.filter(extent => extent.kind === kind && extent.tree === tree)
  const extent = found[Math.floor(found.length / 2)]
  if (extent === undefined) throw new Error(`There is no ${kind}`)
  return extent
}

/** Bytes of a log that frames stand in. */
function usedBytes(bytes: Uint8Array): number {
  return bytes.findLastIndex(byte => byte !== 0) + 1
}

/** The log that the newest commits are in is the shorter one: its last checkpoint is behind the other. */
function newestLog(disk: SimulatedDisk): string {
  const [a, b] = ['wal-0.ldb', 'wal-1.ldb'].map(name => usedBytes(disk.bytes(name)))
  return (a ?? 0) < (b ?? 0) ? 'wal-0.ldb' : 'wal-1.ldb'
}

interface Damage {
  readonly what: string
  /** The database was closed; else its process was killed. */
  readonly isClosed: boolean
  damage(life: Life): Promise<void> | void
  /** Whether nothing that was acknowledged is lost by it. */
  readonly isHarmless?: boolean
  /** What opening says; undefined: it opens. */
  readonly open?: RegExp
  /** What `verify` says when it opens, problem by problem. */
  readonly verify?: readonly RegExp[]
  /** What `repair` says to be lost, part by part. */
  readonly repair: readonly RegExp[]
}

const damages: readonly Damage[] = [
  {
    what: 'a bit in a page',
    isClosed: true,
    damage: async ({ disk }) => flipAt(disk, 'data.ldb', (await pick(disk, 'leaf', 2)).from + 50),
    verify: [
      /^Page \d+ of data\.ldb does not match its checksum\. Restore a backup, or run repair\. It concerns keys from "key \d+" up to "key \d+" of the sublevel "users"\.$/
    ],
    repair: [
      /^Lost: keys from "key \d+" up to "key \d+" of the sublevel "users".* Page \d+ does not match its checksum \(byte \d+ of data\.ldb\)\. Take it from a backup .* kept as data\.ldb\.damaged-1\.$/
    ]
  },
  {
    what: 'a bit in an inner page',
    isClosed: true,
    isHarmless: true,
    damage: async ({ disk }) => flipAt(disk, 'data.ldb', (await pick(disk, 'branch', 2)).from + 50),
    verify: [
      /^Page \d+ of data\.ldb does not match its checksum\. .* It concerns all keys of the sublevel "users"\.$/,
      /^Pages \d+ to \d+ .* could not be reached, since pages that may lead there are damaged\. Run repair, which finds them\.$/
    ],
    repair: []
  },
  {
    what: 'a bit in one meta slot',
    isClosed: true,
    isHarmless: true,
    damage: ({ disk }) => flipAt(disk, 'data.ldb', 40),
    verify: [],
    repair: []
  },
  {
    what: 'both meta slots overwritten',
    isClosed: true,
    isHarmless: true,
    damage: ({ disk }) => change(disk, 'data.ldb', bytes => bytes.fill(7, 30, 500).fill(7, 4_130, 4_600)),
    open: /^Both meta slots of data\.ldb are damaged \(bytes 0 and 4096\)\. Run repair.* restore a backup/i,
    repair: [
      /^Perhaps lost: the newest state of the data file\..* Neither of its meta slots can be read \(byte 0 of data\.ldb\)/
    ]
  },
  {
    what: 'a bit in the middle of the log',
    isClosed: false,
    damage: ({ disk }) => {
      const name = newestLog(disk)
      flipAt(disk, name, Math.floor(usedBytes(disk.bytes(name)) / 2))
    },
    open: /^The log is damaged at byte \d+ of wal-\d\.ldb: commits \d+ to \d+ were durable and cannot be read\. Restore a backup, or run repair/,
    repair: [
      /^Lost: commits \d+ to \d+ \(\d+ of their frames .*The log is damaged \(byte \d+ of wal-\d\.ldb\)\. .* wal-\d\.ldb\.damaged-1\.$/
    ]
  },
  {
    what: 'the newest log missing',
    isClosed: false,
    damage: ({ disk }) => {
      disk.take(newestLog(disk))
    },
    open: /misses its log wal-\d\.ldb, which may hold what was written last\. Put it back, restore a backup, or run repair/,
    repair: [
      /^Perhaps lost: commits after number \d+\. A part of the log is missing \(wal-\d\.ldb\)\. Take it from a backup/
    ]
  },
  {
    what: 'both logs missing',
    isClosed: false,
    damage: ({ disk }) => {
      for (const name of ['wal-0.ldb', 'wal-1.ldb']) disk.take(name)
    },
    open: /misses its log wal-0\.ldb/,
    repair: [/^Perhaps lost: commits after number \d+, with the log\. .*Take it from a backup .* missing\.$/]
  },
  {
    what: 'the data file cut off in the middle',
    isClosed: true,
    damage: ({ disk }) => change(disk, 'data.ldb', bytes => bytes.slice(0, bytes.length >> 1)),
    open: /^data\.ldb was cut off: it ends at byte \d+, and its page table stands behind that\. Put the whole file back, restore a backup, or run repair/,
    repair: [
      /^Perhaps lost: some of all keys of the sublevel "users".* Page \d+ lies behind the end of the file, which has \d+ bytes/,
      /^Lost: the entries of \d+ pages that no other page was found to refer to: \d+ to \d+\. Page \d+ lies behind the end/
    ]
  },
  {
    what: 'the data file cut off before all page tables',
    isClosed: true,
    damage: ({ disk }) => change(disk, 'data.ldb', bytes => bytes.slice(0, 16_384)),
    open: /^data\.ldb was cut off: it ends at byte 16384/,
    repair: [
      /^Perhaps lost: 1 of 1 parts of the page table, of 256 pages each\. .* \(byte \d+ of data\.ldb\)/,
      /^Lost: names of sublevels\. .* Page 1 is not in what was found of the page table/,
      /^Lost: all keys of the database's own keyspace.* Page 2 is not in what was found of the page table/
    ]
  },
  {
    what: 'another kind of file as data file',
    isClosed: true,
    damage: ({ disk }) => disk.place('data.ldb', new TextEncoder().encode('{"no": "database"}'.repeat(999))),
    open: /^data\.ldb is no Lightning DB data file, or its beginning is lost\. Check the location; .* restore a backup/,
    repair: [/^Lost: everything that stood in the data file\. .* \(byte 0 of data\.ldb\)/]
  },
  {
    what: 'an older data file with the newer log',
    isClosed: false,
    damage: ({ disk, older }) => disk.place('data.ldb', older.get('data.ldb') ?? new Uint8Array(0)),
    open: /^data\.ldb ends with commit \d+, and wal-\d\.ldb begins with commit \d+: the data file is older than its log, which goes to commit \d+\. Put the data file back .* run repair/,
    repair: [
      /^Lost: commits \d+ to \d+ .* The data file is older than the log, which begins with commit \d+ \(byte 0 of wal-\d\.ldb\)/
    ]
  },
  {
    what: 'the two log files exchanged',
    isClosed: false,
    isHarmless: true,
    damage: ({ disk }) => {
      const [one, other] = [disk.bytes('wal-0.ldb'), disk.bytes('wal-1.ldb')]
      disk.place('wal-0.ldb', other)
      disk.place('wal-1.ldb', one)
    },
    verify: [],
    repair: []
  },
  {
    what: 'the logs of another database',
    isClosed: false,
    damage: async ({ disk }) => {
      const other = await live(false)
      for (const name of ['wal-0.ldb', 'wal-1.ldb']) disk.place(name, other.disk.bytes(name))
    },
    open: /^wal-\d\.ldb belongs to another database.* Put this one's log back.* move both log files away; else run repair/,
    repair: [/^Perhaps lost: commits after number \d+\. The log is that of another database \(byte 0 of wal-\d\.ldb\)/]
  },
  {
    what: 'one of the logs from another database',
    isClosed: false,
    damage: async ({ disk }) => {
      const name = newestLog(disk)
      disk.place(name, (await live(false)).disk.bytes(name))
    },
    open: /^wal-\d\.ldb belongs to another database.* Put this one's log back/,
    repair: [/^Perhaps lost: commits after number \d+\. The log is that of another database \(byte 0 of wal-\d\.ldb\)/]
  },
  {
    what: '4 KiB of zeros over pages',
    isClosed: true,
    damage: async ({ disk }) => {
      const at = Math.floor((await pick(disk, 'leaf', 2)).from / 4_096) * 4_096
      change(disk, 'data.ldb', bytes => bytes.fill(0, at, at + 4_096))
    },
    verify: [/^Page \d+ of data\.ldb does not match.* It concerns keys from/, /^Page \d+ of data\.ldb does not match/],
    repair: [/^Lost: keys from .* Page \d+ does not match its checksum, and page \d+ cannot be read either \(byte \d+/]
  },
  {
    what: '4 KiB of zeros over the page table',
    isClosed: true,
    isHarmless: true,
    damage: async ({ disk }) => {
      const { from } = await pick(disk, 'chunk', 0)
      change(disk, 'data.ldb', bytes => bytes.fill(0, from, from + 4_096))
    },
    open: /^Chunk 0 of the page table is damaged \(byte \d+ of data\.ldb\)\. Restore a backup, or run repair\./,
    repair: []
  }
]

describe('damage is told so that a person can act', () => {
  let lives: { readonly closed: Life; readonly killed: Life }

  beforeAll(async () => {
    lives = { closed: await live(true), killed: await live(false) }
  }, 60_000)

  it.each(damages)('$what', async ({ isClosed, damage, isHarmless = false, open, verify, repair }) => {
    const { disk: whole, older, content } = isClosed ? lives.closed : lives.killed
    const disk = new SimulatedDisk(1, whole.state())
    await damage({ disk, older, content })
    const damaged = disk.state()

    const opening = openEngine(new SimulatedDisk(1, damaged.copy()).vfs())
    if (open === undefined) {
      const engine = await opening
      const { problems } = await engine.verify()
      expectAll(problems, verify ?? [])
      for (const { file } of problems) expect(file).toBe('data.ldb')
      await engine.close().catch(() => undefined)
    } else {
      const refused: unknown = await opening.catch(error => error)
      expect(isLightningError(refused, 'LIGHTNING_CORRUPT')).toBe(true)
      expect(refused).toMatchObject({ message: expect.stringMatching(open), file: expect.stringMatching(/\.ldb$/) })
    }

    const mended = new SimulatedDisk(1, damaged.copy())
    const { lost } = await repairFiles(mended.vfs(), { cacheBytes: 8 << 20 })
    expectAll(lost, repair)
    const again = await openEngine(mended.vfs())
    if (isHarmless) expectContent(contentOf(again), content)
    await again.close()
  })
})

function expectAll(found: readonly { readonly message: string }[], wanted: readonly RegExp[]): void {
  expect(found.map(({ message }) => message)).toEqual(wanted.map(pattern => expect.stringMatching(pattern)))
}
