// Whole databases, changed above the checksums: opened, read, verified, written to, closed and opened again.
import { changedFiles, loadBases } from '../formats/bases.ts'
import { mostScriptBytes, mutateScript, readScript, writeScript } from '../formats/script.ts'
import { Tools } from '../formats/tools.ts'
import { expectThat, type Target, type TargetEntry } from '../fuzzer/target.ts'
import { contentOrDamage, openDamaged, summaryOf, useDamaged, vfsOf } from './opening.ts'

/** Of how many inputs one is given to the JavaScript build as well, which takes long to get going. */
const otherBuildEvery = 32

async function create(part: 'log' | 'both'): Promise<Target> {
  const bases = loadBases(await Tools.make())
  let runs = 0
  return {
    mostBytes: mostScriptBytes,
    seeds: [0, 1].map(base => writeScript({ base, switches: 0, records: [] })),
    mutate: mutateScript,
    async run(input) {
      const script = readScript(input)
      const base = part === 'log' ? bases[0] : (bases[script.base % 2] ?? bases[0])
      const files = changedFiles(base, script, part)
      const vfs = await vfsOf(files)
      const engine = await openDamaged(vfs, 'wasm')
      const content = engine === undefined ? undefined : await useDamaged(engine, vfs, 'wasm')
      if (runs++ % otherBuildEvery !== 0) return
      const other = await openDamaged(await vfsOf(files), 'javascript')
      const otherContent = other === undefined ? undefined : contentOrDamage(other)
      await other?.close().catch(() => undefined)
      expectThat(summaryOf(content) === summaryOf(otherContent), 'both builds read the same')
    }
  }
}

export const databaseTarget: TargetEntry = {
  name: 'database',
  what: 'whole databases with right checksums: an answer, or a typed refusal',
  create: () => create('both')
}

export const logTarget: TargetEntry = {
  name: 'log',
  what: 'logs of any frames, chained rightly: replayed, or refused',
  create: () => create('log')
}
