// Backups, changed above or below the checksums, and restored.
import { restore } from '../../src/engine/restore.ts'
import { memoryVfs } from '../../src/vfs/memory.ts'
import { dataFileName } from '../../src/store/format.ts'
import { changedFiles, fileOf, loadBases, rottenFiles } from '../formats/bases.ts'
import { mostScriptBytes, mutateScript, readScript, writeScript } from '../formats/script.ts'
import { Tools } from '../formats/tools.ts'
import { expectThat, expectTyped, type Target, type TargetEntry } from '../fuzzer/target.ts'
import { contentOrDamage, damageCodes, openDamaged, sameContent, vfsOf } from './opening.ts'

async function create(): Promise<Target> {
  const [, closed] = loadBases(await Tools.make())
  return {
    mostBytes: mostScriptBytes,
    seeds: [writeScript({ base: 0, switches: 0, records: [] })],
    mutate: mutateScript,
    async run(input) {
      const script = readScript(input)
      const changed = script.switches % 2 === 0 ? changedFiles(closed, script, 'data') : rottenFiles(closed, script)
      const files = new Map([[dataFileName, fileOf(changed, dataFileName)]])
      const destination = memoryVfs()
      try {
        await restore(await vfsOf(files), destination)
      } catch (error) {
        expectTyped(error, damageCodes)
        expectThat(!(await destination.exists(dataFileName)), 'a restore that fails leaves no database')
        return
      }
      const source = await openDamaged(await vfsOf(files), 'wasm')
      expectThat(source !== undefined, 'what can be restored can be opened')
      const wanted = contentOrDamage(source)
      await source.close().catch(() => undefined)
      const copy = await openDamaged(destination, 'wasm')
      expectThat(copy !== undefined, 'what was restored can be opened')
      const found = contentOrDamage(copy)
      await copy.close().catch(() => undefined)
      if (wanted === undefined || found === undefined)
        expectThat(wanted === found, 'a copy is as readable as its source')
      else expectThat(sameContent(found, wanted), 'a copy holds what its source holds')
    }
  }
}

export const backupTarget: TargetEntry = { name: 'backup', what: 'backups: restored as they were, or refused', create }
