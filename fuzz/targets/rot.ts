// Whole databases, changed below the checksums: bits flipped, sectors zeroed and mixed up, files cut off. What is read
// is right, or the damage is told; of the log, the state after some commit is right.
import { dataFileName } from '../../src/store/format.ts'
import { type Content, contentOf } from '../../test/engine/content.ts'
import { type Base, fileOf, type Files, loadBases, rottenFiles } from '../formats/bases.ts'
import { mostScriptBytes, mutateScript, readScript, writeScript } from '../formats/script.ts'
import { Tools } from '../formats/tools.ts'
import { expectThat, type Target, type TargetEntry } from '../fuzzer/target.ts'
import { openDamaged, sameContent, useDamaged, vfsOf } from './opening.ts'

async function create(): Promise<Target> {
  const bases = loadBases(await Tools.make())
  const states = await Promise.all(bases.map(statesOf))
  return {
    mostBytes: mostScriptBytes,
    seeds: [0, 1].map(base => writeScript({ base, switches: 0, records: [] })),
    mutate: mutateScript,
    async run(input) {
      const script = readScript(input)
      const at = script.base % 2
      const vfs = await vfsOf(rottenFiles(bases[at] ?? bases[0], script))
      const engine = await openDamaged(vfs, 'wasm')
      if (engine === undefined) return
      const content = await useDamaged(engine, vfs, 'wasm')
      if (content === undefined) return
      const isKnown = states[at]?.some(state => sameContent(state, content)) === true
      expectThat(isKnown, 'what can be read is what was written')
    }
  }
}

/** What the database held after each of its commits since the checkpoint. */
async function statesOf(base: Base): Promise<Content[]> {
  const states: Content[] = []
  const [name, other] = base.logNames
  const log = fileOf(base.files, name)
  for (const end of [0, ...base.log().ends]) {
    const files: Files = new Map([
      [dataFileName, fileOf(base.files, dataFileName)],
      [name, log.slice(0, end)],
      [other, new Uint8Array(0)]
    ])
    const engine = await openDamaged(await vfsOf(files), 'wasm')
    if (engine === undefined) continue
    states.push(contentOf(engine))
    await engine.close()
  }
  return states
}

export const rotTarget: TargetEntry = { name: 'rot', what: 'whole databases with rot: never a wrong answer', create }
