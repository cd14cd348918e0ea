// What a database that may be damaged answers: everything it holds, or why it cannot tell.
import type { Engine } from '../../src/engine/engine.ts'
import type { LightningErrorCode } from '../../src/errors.ts'
import { memoryVfs } from '../../src/vfs/memory.ts'
import type { Vfs } from '../../src/vfs/vfs.ts'
import { type Content, contentOf, openEngine, path, utf8 } from '../../test/engine/content.ts'
import type { Files } from '../formats/bases.ts'
import { expectThat, expectTyped } from '../fuzzer/target.ts'

/** What damage may be answered with. */
export const damageCodes: readonly LightningErrorCode[] = ['LIGHTNING_CORRUPT', 'LIGHTNING_VERSION']

/** A place in memory that holds these files. */
export async function vfsOf(files: Files): Promise<Vfs> {
  const vfs = memoryVfs()
  await vfs.prepare({ create: true })
  for (const [name, bytes] of files) {
    const file = await vfs.open(name, { create: true })
    file.writeAt(bytes, 0)
    file.close()
  }
  return vfs
}

/** What `open` gives, undefined when it refuses because of damage. */
export async function openDamaged(vfs: Vfs, build: 'wasm' | 'javascript'): Promise<Engine | undefined> {
  try {
    return await openEngine(vfs, { createIfMissing: false, wasm: build === 'wasm' ? undefined : 'off' })
  } catch (error) {
    expectTyped(error, damageCodes)
    return undefined
  }
}

/** Everything that an engine holds, undefined when damage shows. */
export function contentOrDamage(engine: Engine): Content | undefined {
  try {
    return contentOf(engine)
  } catch (error) {
    expectTyped(error, damageCodes)
    return undefined
  }
}

/** Uses an engine in every way; when nothing is wrong with it, what it holds must be there after closing, too. */
export async function useDamaged(engine: Engine, vfs: Vfs, build: 'wasm' | 'javascript'): Promise<Content | undefined> {
  const before = contentOrDamage(engine)
  const { ok } = await engine.verify()
  if (ok) expectThat(before !== undefined, 'what verify finds nothing wrong with can be read')
  const isWritten = await attempt(engine)
  const after = isWritten ? contentOrDamage(engine) : undefined
  const isClosed = await passes(() => engine.close())
  if (!ok || before === undefined || after === undefined) return before
  expectThat(isClosed, 'a sound database can be closed')
  const again = await openDamaged(vfs, build)
  expectThat(again !== undefined, 'a sound database can be opened again')
  const found = contentOrDamage(again)
  await again.close()
  expectThat(found !== undefined && sameContent(found, after), 'a sound database holds what was put')
  return before
}

/** Writes, deletes, clears, compacts; whether all of it was possible. */
async function attempt(engine: Engine): Promise<boolean> {
  const tree = engine.tree(path(''))
  return passes(async () => {
    engine.put(tree, 'entry/5 probe', utf8, 'x'.repeat(200), utf8)
    await engine.settled()
    engine.del(tree, 'entry/7', utf8)
    engine.put(engine.tree(path('people')), 'probe', utf8, 'y', utf8)
    await engine.settled()
    await engine.checkpoint()
    engine.clear(tree, { lower: utf8.encode('entry/8'), upper: utf8.encode('entry/9'), ...bounds })
    await engine.settled()
  })
}

const bounds = { lowerOpen: false, upperOpen: false, reverse: false, limit: Number.POSITIVE_INFINITY, empty: false }

/** Whether it succeeds; damage is a failure like any other here, anything untyped a finding. */
async function passes(work: () => Promise<void>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    expectTyped(error, [...damageCodes, 'LIGHTNING_FAILED'])
    return false
  }
}

export function sameContent(a: Content, b: Content): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value)
}

/** One line that two builds must agree on. */
export function summaryOf(content: Content | undefined): string {
  return content === undefined
    ? 'damage'
    : `${content.size} ${[...content].map(([key, value]) => key.length + value.length)}`
}
