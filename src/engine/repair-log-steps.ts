// Reading the log of a damaged database piece by piece, with turns for other work.
import type { ChainEnd, ChainStart, ChainStep, FoundFrame, LogReader } from '../wal/log-reader.ts'
import type { Stages } from './repair-stages.ts'

/** Walks the chain with turns for other work; `share` tells how much of the log is done. */
export async function walk(
  reader: LogReader,
  start: ChainStart,
  stages: Stages,
  visit: (step: ChainStep) => void,
  share = () => 0,
  mostFrames = Number.POSITIVE_INFINITY
): Promise<ChainEnd> {
  const steps = reader.steps(start, mostFrames)
  while (true) {
    const step = steps.next()
    if (step.done === true) return step.value
    visit(step.value)
    await stages.step(share())
  }
}

/** Every whole frame, wherever in the log it is; other work is done in between. */
export async function scan(
  reader: LogReader,
  stages: Stages,
  share: number,
  visit: (found: FoundFrame) => void
): Promise<void> {
  for (const found of reader.scanSteps()) {
    for (const frame of found) visit(frame)
    await stages.step(share)
  }
}
