import { LocalDatabase } from '../../src/db/database.ts'
import { parseOpenOptions } from '../../src/db/options.ts'
import { Engine } from '../../src/engine/engine.ts'
import type { Database } from '../../src/index.ts'
import type { Vfs } from '../../src/vfs/vfs.ts'
import type { Random } from '../../test/support/random.ts'

/** How the databases of a case are opened; plain JSON. */
export interface SmallOptions {
  readonly pageSize?: number
  readonly compression?: 'lz4' | 'none'
  readonly walBytes?: number
  /** Pages that the cache holds. */
  readonly frames?: number
  readonly verifyWrites?: boolean
  readonly durability?: 'strict' | 'relaxed'
  readonly wasm?: 'off'
  /** Keys of 1,016 bytes, so that few entries make a tree of many levels. */
  readonly longKeys?: boolean
}

/** An open database: its public side, and the engine below it for what takes files in place of a location. */
export interface Opened {
  readonly db: Database<string, string>
  readonly engine: Engine
}

const leastFrames = 64

/** Room enough for puts to be applied together; with less, each is made by itself. */
export const roomy: SmallOptions = { frames: 1_024, walBytes: 64 << 20 }

/** Opens with sizes at which a few commits already make checkpoints, log switches and evictions happen. */
export async function openSmall(vfs: Vfs, options: SmallOptions, createIfMissing = true): Promise<Opened> {
  const { walBytes = 16_384, frames = leastFrames, longKeys: _, ...others } = options
  const parsed = parseOpenOptions({
    pageSize: 4_096,
    ...others,
    createIfMissing,
    valueEncoding: 'utf8',
    syncIntervalMs: 5
  })
  // Smaller than `open` allows.
  const small = { ...parsed, walBytes, cacheBytes: frames * (parsed.pageSize ?? 4_096) }
  const engine = await Engine.open(vfs, small)
  return { engine, db: new LocalDatabase<string, string>(engine, small) }
}

/** The same with these options or with others that an existing database can be opened with. */
export function openOtherwise(vfs: Vfs, options: SmallOptions, random: Random): Promise<Opened> {
  if (random.chance(0.5)) return openSmall(vfs, options)
  const { wasm: _, ...others } = options
  return openSmall(vfs, {
    ...others,
    compression: random.pick(['lz4', 'none']),
    walBytes: random.pick([8_192, 65_536, 1 << 20]),
    frames: random.pick([leastFrames, 200]),
    ...(random.chance(0.5) ? { wasm: 'off' } : {})
  })
}
