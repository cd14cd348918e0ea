import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { execute } from '../../fuzz/fuzzer/execution.ts'
import { mutateBytes } from '../../fuzz/fuzzer/mutators.ts'
import type { Target } from '../../fuzz/fuzzer/target.ts'
import { targets } from '../../fuzz/targets/index.ts'
import { Random } from '../support/random.ts'

/** The short form of `npm run fuzz`: what was found interesting before, and some inputs near it. */
const mutations = 300
/** Whole databases are opened for each of these. */
const mutationsOfDatabases = 15
const databases = ['log', 'database', 'rot', 'backup', 'protocol']

function inputsIn(folder: string): Uint8Array[] {
  if (!existsSync(folder)) return []
  const names = readdirSync(folder).sort()
  return names.map(name => new Uint8Array(readFileSync(join(folder, name))))
}

async function wrongWith(target: Target, input: Uint8Array): Promise<string | undefined> {
  const message = await execute(target, input)
  return message && `${Buffer.from(input).toString('hex')}: ${message}`
}

describe.each(targets)('$name: $what', ({ name, create }) => {
  const isDatabase = databases.includes(name)

  test('nothing is wrong with the inputs that fuzzing has kept', async () => {
    const target = await create()
    const kept = inputsIn(join('fuzz/corpus', name))
    expect(kept.length).toBeGreaterThan(0)
    for (const input of isDatabase ? kept.filter((_, i) => i % 4 === 0) : kept) {
      expect(await wrongWith(target, input)).toBeUndefined()
    }
  })

  test('nor with inputs near them', async () => {
    const target = await create()
    const inputs = [...inputsIn(join('fuzz/corpus', name)), ...target.seeds]
    const random = new Random(7)
    for (let i = 0; i < (isDatabase ? mutationsOfDatabases : mutations); i++) {
      const input = inputs[random.below(inputs.length)] ?? new Uint8Array(0)
      const other = inputs[random.below(inputs.length)] ?? input
      const changed = target.mutate?.(input, random, other) ?? mutateBytes(input, random, other, target.mostBytes)
      expect(await wrongWith(target, changed.subarray(0, target.mostBytes))).toBeUndefined()
    }
  })
})
