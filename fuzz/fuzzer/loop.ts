// The loop of fuzzing: makes inputs, runs them, keeps those that do something new.
import { openSync, writeSync } from 'node:fs'
import { Random } from '../../test/support/random.ts'
import { Corpus, nameOf } from './corpus.ts'
import { Coverage } from './coverage.ts'
import { execute, signatureOf } from './execution.ts'
import type { WorkerMessage, WorkerTask } from './messages.ts'
import { mutateBytes } from './mutators.ts'
import { shrink } from './shrink.ts'
import type { Target } from './target.ts'

/** Executions between two looks at the clock. */
const stride = 16
const progressMs = 500
const shrinkMs = 8_000

export class Loop {
  readonly #target: Target
  readonly #task: WorkerTask
  readonly #tell: (message: WorkerMessage) => void
  readonly #random: Random
  readonly #coverage: Coverage
  /** Committed: every input reaches a branch that the others do not. */
  readonly #corpus: Corpus
  /** Of this checkout: those that only differ in how often they take a branch. */
  readonly #work: Corpus
  readonly #inputs: Uint8Array[] = []
  readonly #signatures = new Set<string>()
  readonly #current: number
  readonly #started = performance.now()
  #executions = 0
  #edgesAtStart = 0

  constructor(target: Target, task: WorkerTask, tell: (message: WorkerMessage) => void) {
    this.#target = target
    this.#task = task
    this.#tell = tell
    this.#random = new Random(task.seed)
    this.#coverage = new Coverage(task.counters)
    this.#corpus = new Corpus(task.corpus)
    this.#work = new Corpus(task.work)
    this.#current = openSync(task.current, 'w')
  }

  async run(): Promise<void> {
    await this.#replayCorpus()
    this.#edgesAtStart = this.#coverage.edges
    const end = this.#started + this.#task.seconds * 1_000
    let told = 0
    while (performance.now() < end) {
      for (let i = 0; i < stride; i++) await this.#try(this.#next())
      if (performance.now() - told > progressMs) {
        told = performance.now()
        this.#report()
        // Messages leave and arrive between turns only.
        await new Promise(resolve => setImmediate(resolve))
      }
    }
    this.#report()
  }

  /** Smallest first, so that an input whose effects smaller ones have together is left out for good. */
  async #replayCorpus(): Promise<void> {
    const { seeds } = this.#target
    const kept: Uint8Array[] = []
    const known = new Set<string>()
    for (const [input, isCommitted] of [
      ...bySize([...this.#corpus.inputs, ...seeds]).map(each => [each, true] as const),
      ...bySize(this.#work.inputs).map(each => [each, false] as const)
    ]) {
      if (known.has(nameOf(input))) continue
      known.add(nameOf(input))
      const { edges } = this.#coverage
      const fresh = await this.#measure(input)
      if (fresh === 0) continue
      this.#inputs.push(input)
      if (isCommitted && this.#coverage.edges > edges) kept.push(input)
    }
    this.#corpus.become(kept)
    if (this.#inputs.length === 0) this.#inputs.push(new Uint8Array(0))
  }

  #next(): Uint8Array {
    const random = this.#random
    // What was found last is where new ground is most likely.
    const { length } = this.#inputs
    const back = random.chance(0.4) ? random.below(Math.min(length, 16)) : random.below(length)
    const input = this.#inputs[length - 1 - back] ?? new Uint8Array(0)
    const other = this.#inputs[random.below(length)] ?? input
    const { mutate, mostBytes } = this.#target
    if (mutate === undefined || random.chance(0.15)) return mutateBytes(input, random, other, mostBytes)
    return mutate.call(this.#target, input, random, other).subarray(0, mostBytes)
  }

  async #try(input: Uint8Array): Promise<void> {
    const { edges } = this.#coverage
    if ((await this.#measure(input)) === 0) return
    this.#inputs.push(input)
    if (this.#coverage.edges > edges) this.#corpus.add(input)
    else this.#work.add(input)
  }

  /** Runs an input; how much of what it did is new. */
  async #measure(input: Uint8Array): Promise<number> {
    this.#keepCurrent(input)
    this.#executions++
    this.#coverage.begin()
    const message = await execute(this.#target, input)
    if (message === undefined) return this.#coverage.end()
    await this.#found(input, message)
    return 0
  }

  async #found(input: Uint8Array, message: string): Promise<void> {
    const signature = signatureOf(message)
    if (this.#signatures.has(signature)) return
    this.#signatures.add(signature)
    const until = performance.now() + shrinkMs
    const smallest = await shrink(
      input,
      async candidate => {
        this.#keepCurrent(candidate)
        const again = await execute(this.#target, candidate)
        return again !== undefined && signatureOf(again) === signature
      },
      () => performance.now() < until
    )
    const last = (await execute(this.#target, smallest)) ?? message
    this.#tell({ kind: 'finding', input: Buffer.from(smallest).toString('base64'), message: last })
  }

  /** Readable by the other side even if this process hangs or dies. */
  #keepCurrent(input: Uint8Array): void {
    const bytes = new Uint8Array(4 + input.length)
    new DataView(bytes.buffer).setUint32(0, input.length, true)
    bytes.set(input, 4)
    writeSync(this.#current, bytes, 0, bytes.length, 0)
  }

  #report(): void {
    const { edges } = this.#coverage
    this.#tell({
      kind: 'progress',
      executions: this.#executions,
      seconds: (performance.now() - this.#started) / 1_000,
      edges,
      newEdges: edges - this.#edgesAtStart,
      corpus: this.#inputs.length
    })
  }
}

function bySize(inputs: readonly Uint8Array[]): Uint8Array[] {
  return [...inputs].sort((a, b) => a.length - b.length || Buffer.compare(a, b))
}
