// Opening with small sizes, and everything that a database holds as one map. Free of the test runner: processes that the
// tests start use it too.
import { Utf8Encoding } from '../../src/encoding/utf8-encoding.ts'
import type { ByteRange } from '../../src/engine/bounds.ts'
import { pathOf } from '../../src/engine/keyspace-path.ts'
import { Engine, type EngineOptions, type Snapshot } from '../../src/engine/engine.ts'
import type { Vfs } from '../../src/vfs/vfs.ts'
import { Random } from '../support/random.ts'

export const utf8 = new Utf8Encoding()

/** Sizes at which a few commits already make checkpoints, log switches and evictions happen. */
export const smallOptions: EngineOptions = {
  createIfMissing: true,
  errorIfExists: false,
  readOnly: false,
  durability: 'strict',
  syncIntervalMs: 5,
  pageSize: 4_096,
  cacheBytes: 64 * 4_096,
  compression: 'lz4',
  walBytes: 16_384,
  maxBytes: undefined,
  maxSnapshotAgeMs: undefined,
  verifyWrites: false,
  wasm: undefined,
  logger: undefined
}

export function openEngine(vfs: Vfs, options: Partial<EngineOptions> = {}): Promise<Engine> {
  return Engine.open(vfs, { ...smallOptions, ...options })
}

export const everything: ByteRange = {
  lower: undefined,
  lowerOpen: false,
  upper: undefined,
  upperOpen: false,
  reverse: false,
  limit: Number.POSITIVE_INFINITY,
  empty: false
}

/** Path of the sublevel, empty for the database's own keyspace. */
export function path(sublevel: string): Uint8Array {
  return sublevel === '' ? new Uint8Array(0) : pathOf(new Uint8Array(0), sublevel)
}

/** All entries of all keyspaces: `sublevel/key` → value. */
export type Content = ReadonlyMap<string, string>

/** As the snapshot sees it, or now. */
export function contentOf(engine: Engine, snapshot?: Snapshot): Content {
  const content = new Map<string, string>()
  const decoder = new TextDecoder()
  for (const sublevel of ['', ...engine.names(new Uint8Array(0), snapshot)]) {
    const cursor = engine.cursor(engine.tree(path(sublevel)), snapshot, everything, false)
    for (let rows = cursor.fill(); rows > 0; rows = cursor.fill()) {
      for (let i = 0; i < rows; i++) {
        cursor.row(i)
        const key = decoder.decode(cursor.bytes.subarray(cursor.keyStart, cursor.keyEnd))
        const value = cursor.isLarge ? cursor.large() : cursor.bytes.subarray(cursor.valueStart, cursor.valueEnd)
        content.set(`${sublevel}/${key}`, decoder.decode(value))
      }
    }
    cursor.close()
  }
  return content
}

/** Text that LZ4 makes smaller, but not to nothing. */
export function someText(random: Random, length: number): string {
  const from = random.below(pool.length)
  let text = `${random.below(1_000_000)} ${pool.slice(from, from + length)}`
  while (text.length < length) text += pool
  return text.slice(0, length)
}

const pool = makePool(new Random(1))

function makePool(random: Random): string {
  let text = ''
  while (text.length < 65_536) text += `${random.next().toString(36)} and ${random.below(100)}, `
  return text
}
