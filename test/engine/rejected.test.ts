import { expect, test } from 'vitest'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { contentOf, openEngine, path, utf8 } from './content.ts'
import { expectSound } from './support.ts'

test('a commit whose write failed stays away, though all its bytes had reached the disk, whatever a crash keeps', async () => {
  for (let seed = 1; seed <= 24; seed++) {
    const disk = new SimulatedDisk(seed)
    const engine = await openEngine(disk.vfs())
    const put = (key: string) => {
      engine.put(engine.tree(path('')), key, utf8, 'value', utf8)
      return engine.settled()
    }
    await put('kept')
    let hasFailed = false
    disk.fault = ({ kind, file }) => {
      if (hasFailed || kind !== 'write' || !file.startsWith('wal')) return undefined
      hasFailed = true
      return { code: 'EIO', written: 1 }
    }
    await expect(put('rejected')).rejects.toMatchObject({ code: 'LIGHTNING_IO' })
    const after = await openEngine(disk.crash(seed).vfs())
    expect([...contentOf(after).keys()]).toEqual(['/kept'])
    await expectSound(after)
    await after.close()
  }
})
