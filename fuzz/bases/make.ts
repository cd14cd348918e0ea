// Makes the small databases that fuzzing begins with: one whose machine stopped in the middle, one that was closed. They
// stay as they are, since the inputs of the corpus are changes of them:
//
//   node scripts/run.mjs fuzz/bases/make.ts
import type { Engine } from '../../src/engine/engine.ts'
import { openEngine, path, utf8 } from '../../test/engine/content.ts'
import { saveDisk } from '../../test/support/saved-disk.ts'
import { SimulatedDisk } from '../../test/support/simulated-disk.ts'

for (const name of ['crashed', 'closed']) {
  const disk = new SimulatedDisk()
  const engine = await openEngine(disk.vfs(), { walBytes: 1 << 20 })
  // Three pages of entries, some large values, a keyspace more, and what a deletion leaves.
  for (let i = 0; i < 60; i++) await put(engine, '', `entry/${(i * 37) % 100}`, `value ${i} `.repeat(1 + (i % 20)))
  for (let i = 0; i < 4; i++) await put(engine, 'people', `person ${i}`, `name ${i}`)
  await put(engine, '', 'large', 'a large value, '.repeat(200))
  await put(engine, '', 'noise', Array.from({ length: 500 }, (_, i) => ((i * 7_919) % 104_729).toString(36)).join(''))
  engine.del(engine.tree(path('')), 'entry/0', utf8)
  if (name === 'closed') await engine.close()
  else {
    await engine.checkpoint()
    await put(engine, '', 'after the checkpoint', 'yes')
    await put(engine, '', 'entry/1', 'changed')
    await put(engine, 'places', 'far away', 'here')
    await put(engine, '', 'second large', 'another one. '.repeat(100))
    engine.del(engine.tree(path('')), 'entry/37', utf8)
    await engine.settled()
    engine.clear(engine.tree(path('')), {
      lower: utf8.encode('entry/8'),
      upper: utf8.encode('entry/9'),
      lowerOpen: false,
      upperOpen: false,
      reverse: false,
      limit: Number.POSITIVE_INFINITY,
      empty: false
    })
    await engine.settled()
  }
  saveDisk(disk, `fuzz/bases/${name}`)
}

async function put(engine: Engine, sublevel: string, key: string, value: string): Promise<void> {
  engine.put(engine.tree(path(sublevel)), key, utf8, value, utf8)
  await engine.settled()
}
