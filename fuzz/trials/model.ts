// Everything that the public interface offers, in random order, on a database opened in a random way, against a model that
// does it all the slow way: every answer, every refusal, and everything that is there after a crash must be as it says.
import type { Counts, Trial } from '../runner/trial.ts'
import { caseOf, type ModelCase, shrink } from './model-case.ts'
import { Play } from './model-play.ts'

export const model: Trial<ModelCase> = {
  name: 'model',
  what: 'Random calls of every method, over random options, reopenings and crashes, against a sorted map.',
  caseOf,
  run,
  shrink
}

async function run({ options, steps, seed }: ModelCase): Promise<Counts> {
  const play = await Play.begin(options, seed)
  for (const [i, step] of steps.entries()) {
    try {
      await play.take(step)
    } catch (error) {
      throw new Error(`Step ${i + 1} of ${steps.length}, ${step.kind}, went wrong.`, { cause: error })
    }
  }
  await play.end()
  return { cases: 1, ...play.counts }
}
