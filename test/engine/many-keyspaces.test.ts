// More keyspaces than the kernel knows the roots of at a time.
import { expect, test } from 'vitest'
import { TREE_SLOTS } from '../../assembly/operations.ts'
import type { Engine, EngineOperation } from '../../src/engine/engine.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { openEngine, path, utf8 } from './content.ts'
import { expectSound } from './support.ts'

const options = { cacheBytes: 8 << 20, walBytes: 8 << 20 }
const keyspaces = TREE_SLOTS + 200

const treeOf = (engine: Engine, i: number) => engine.tree(path(`sublevel ${i}`))
const putOf = (engine: Engine, i: number, key: string, value: string): EngineOperation => ({
  type: 'put',
  tree: treeOf(engine, i),
  key,
  keyEncoding: utf8,
  value,
  valueEncoding: utf8
})
const get = (engine: Engine, i: number, key: string) => engine.get(treeOf(engine, i), undefined, key, utf8, utf8)

/** One batch with something for each of them, in a mixed order. */
function putToAll(engine: Engine, key: string): void {
  const mixed = Array.from({ length: keyspaces }, (_, i) => (i * 463) % keyspaces)
  engine.batch(mixed.map(i => putOf(engine, i, key, `${key} ${i}`)))
}

function expectAll(engine: Engine, key: string, except: (i: number) => string | undefined = () => undefined): void {
  for (let i = 0; i < keyspaces; i++) expect(get(engine, i, key)).toBe(except(i) ?? `${key} ${i}`)
}

test('very many keyspaces used in turns keep their entries apart, through drops, new ones and a replay', async () => {
  const disk = new SimulatedDisk()
  const engine = await openEngine(disk.vfs(), options)
  putToAll(engine, 'first')
  putToAll(engine, 'second')
  // Two that share a slot, by turns; one of them is another one half of the time.
  const [low, high] = [3, 3 + TREE_SLOTS]
  for (let round = 0; round < 10; round++) {
    engine.drop(path(`sublevel ${low}`))
    engine.batch([putOf(engine, low, 'first', `again ${round}`), putOf(engine, high, 'first', `round ${round}`)])
    engine.batch([putOf(engine, low, 'second', `again ${round}`), putOf(engine, high, 'second', `round ${round}`)])
  }
  const changed = (i: number) => (i === low ? 'again 9' : i === high ? 'round 9' : undefined)
  expectAll(engine, 'first', changed)
  expectAll(engine, 'second', changed)
  await engine.settled()
  const after = await openEngine(disk.kill().vfs(), options)
  expectAll(after, 'first', changed)
  expectAll(after, 'second', changed)
  await expectSound(after)
  await after.close()
})
