import { expect, test } from 'vitest'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { contentOf, openEngine, path, utf8 } from './content.ts'
import { expectSound } from './support.ts'

// docs/durability.md, rule 15: after a failed sync the system may keep bytes readable that it will never write.
test('what a recovery could read is written again before anything after it is acknowledged', async () => {
  for (let seed = 1; seed <= 24; seed++) {
    const disk = new SimulatedDisk(seed)
    const first = await openEngine(disk.vfs())
    const put = (engine: typeof first, key: string) => {
      engine.put(engine.tree(path('')), key, utf8, 'value', utf8)
      return engine.settled()
    }
    await put(first, 'before')
    let hasFailed = false
    disk.fault = ({ kind, file }) => {
      if (hasFailed || kind !== 'sync' || !file.startsWith('wal')) return undefined
      hasFailed = true
      return { code: 'EIO' }
    }
    await expect(put(first, 'unknown')).rejects.toMatchObject({ code: 'LIGHTNING_FAILED' })
    await first.close()
    const second = await openEngine(disk.vfs())
    const found = [...contentOf(second).keys()]
    await put(second, 'after')
    const third = await openEngine(disk.crash(seed).vfs())
    expect([...contentOf(third).keys()].sort()).toEqual([...found, '/after'].sort())
    await expectSound(third)
    await third.close()
  }
})
