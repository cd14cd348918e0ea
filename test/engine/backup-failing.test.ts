// A backup, or a restore, that fails can be made again in the same place.
import { expect, test } from 'vitest'
import { restore } from '../../src/engine/restore.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { contentOf, openEngine, path, utf8 } from './content.ts'
import { expectContent, expectSound } from './support.ts'

test.each(['backup', 'restore'] as const)(
  '%s: whatever call fails, no database is left, and it can be made again',
  async way => {
    const source = new SimulatedDisk()
    const engine = await openEngine(source.vfs())
    engine.put(engine.tree(path('')), 'key', utf8, 'value', utf8)
    await engine.settled()
    const content = contentOf(engine)
    if (way === 'restore') await engine.close()
    const copyTo = (disk: SimulatedDisk) =>
      way === 'backup' ? engine.backup(disk.vfs()) : restore(source.vfs(), disk.vfs())
    const failed = new Set<string>()
    for (let nth = 1, isDone = false; !isDone; nth++) {
      const disk = new SimulatedDisk()
      let kind: string | undefined
      disk.fault = call => {
        if (call.number !== nth) return undefined
        kind = call.kind
        return { code: 'EIO' }
      }
      const outcome = await copyTo(disk).then(
        () => 'made',
        (error: { code: string }) => error.code
      )
      disk.fault = undefined
      isDone = kind === undefined
      if (kind !== undefined) {
        failed.add(kind)
        expect(outcome).toBe('LIGHTNING_IO')
        await expect(openEngine(disk.vfs(), { createIfMissing: false })).rejects.toMatchObject({
          code: 'LIGHTNING_NOT_FOUND'
        })
        await copyTo(disk)
      }
      expect(disk.names).toEqual(['data.ldb'])
      const copied = await openEngine(disk.vfs())
      expectContent(contentOf(copied), content)
      await expectSound(copied)
      await copied.close()
    }
    expect([...failed].sort()).toEqual(['open', 'rename', 'resize', 'sync', 'sync names', 'write'])
    await engine.close()
  }
)
