// Databases that earlier versions have written are read for ever. What the bytes mean is checked against
// docs/file-format.md by test/house/file-format.test.ts.
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'vitest'
import { fixtureContent } from '../fixtures/content.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'
import { contentOf, openEngine, path, utf8 } from './content.ts'
import { expectContent, expectSound } from './support.ts'

function fixture(name: string): SimulatedDisk {
  const folder = new URL(`../fixtures/format-1/${name}/`, import.meta.url)
  const disk = new SimulatedDisk()
  for (const file of readdirSync(folder)) disk.place(file, readFileSync(new URL(file, folder)))
  return disk
}

test.each(['closed', 'crashed'] as const)(
  'a database of format 1 that was %s is read, written and read again',
  async name => {
    const disk = fixture(name)
    const wanted = fixtureContent(name)
    const reader = await openEngine(disk.vfs(), { readOnly: true })
    expectContent(contentOf(reader), wanted)
    await reader.close()
    const engine = await openEngine(disk.vfs())
    expectContent(contentOf(engine), wanted)
    await expectSound(engine)
    engine.put(engine.tree(path('people')), 'person 99', utf8, 'new', utf8)
    wanted.set('people/person 99', 'new')
    await engine.close()
    const again = await openEngine(disk.vfs())
    expectContent(contentOf(again), wanted)
    await again.close()
  }
)
