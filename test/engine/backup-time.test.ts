// The time of commits never goes backwards (docs/durability.md, rule 1), through a backup neither.
import { afterEach, expect, test, vi } from 'vitest'
import { openCore } from '../../src/engine/opening.ts'
import { closeFiles } from '../../src/engine/closing.ts'
import { memoryVfs } from '../../src/vfs/memory.ts'
import type { Vfs } from '../../src/vfs/vfs.ts'
import { restore } from '../../src/engine/restore.ts'
import { openEngine, path, smallOptions, utf8 } from './content.ts'

afterEach(() => {
  vi.useRealTimers()
})

async function timeOf(vfs: Vfs): Promise<number> {
  const core = await openCore(vfs, { ...smallOptions, readOnly: true })
  await closeFiles(core)
  return core.meta.timeMs
}

test('a backup and a restored database are no older than the commits in them, though the clock was set back', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 2_000_000_000_000 })
  const engine = await openEngine(memoryVfs())
  engine.put(engine.tree(path('')), 'key', utf8, 'value', utf8)
  await engine.settled()
  vi.setSystemTime(1_900_000_000_000)
  const [backup, restored] = [memoryVfs(), memoryVfs()]
  await engine.backup(backup)
  await engine.close()
  await restore(backup, restored)
  expect([await timeOf(backup), await timeOf(restored)]).toEqual([2_000_000_000_000, 2_000_000_000_000])
})
