// A run of `npm run fuzz`: the targets in turn, again and again, until the time is over.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatTime, Progress } from '../runner/progress.ts'
import { type FuzzBundle, bundleWorker } from './bundle.ts'
import { nameOf } from './corpus.ts'
import { signatureOf } from './execution.ts'
import type { WorkerFinding, WorkerMessage, WorkerTask } from './messages.ts'
import type { FuzzOptions } from './options.ts'
import { publishFuzzing } from './record.ts'
import { shrink } from './shrink.ts'
import type { TargetEntry } from './target.ts'
import { addSlice, newTotal, type Total, tableOf } from './totals.ts'
import { runWorker } from './worker-process.ts'

const workFolder = 'build/fuzz'
const corpusFolder = 'fuzz/corpus'
/** A target's share is cut into slices, so that a run that is ended early has tried everything. */
const mostSliceSeconds = 120

/** Runs all of it; the result is the exit code. */
export async function fuzzAll(options: FuzzOptions): Promise<number> {
  mkdirSync(workFolder, { recursive: true })
  const bundle = await bundleWorker(process.cwd())
  try {
    return options.input === undefined
      ? await new Campaign(options, bundle).run()
      : await replay(options, bundle, options.input)
  } finally {
    rmSync(bundle.path, { force: true })
  }
}

async function replay({ targets, seed }: FuzzOptions, bundle: FuzzBundle, input: string): Promise<number> {
  const [target] = targets
  if (target === undefined) return 2
  const { findings } = await runWorker(bundle.path, { ...taskOf(target, bundle, seed, 0), replay: input })
  for (const { message } of findings) console.log(message)
  if (findings.length === 0) console.log('nothing is wrong with this input')
  return findings.length === 0 ? 0 : 1
}

function taskOf({ name }: TargetEntry, bundle: FuzzBundle, seed: number, seconds: number): WorkerTask {
  return {
    target: name,
    seed,
    seconds,
    counters: bundle.counters,
    corpus: join(corpusFolder, name),
    work: join(workFolder, 'corpus', name),
    current: join(workFolder, `${name}.current`)
  }
}

class Campaign {
  readonly #options: FuzzOptions
  readonly #bundle: FuzzBundle
  readonly #totals: ReadonlyMap<TargetEntry, Total>
  readonly #running = new Map<TargetEntry, string>()
  readonly #signatures = new Set<string>()
  readonly #started = performance.now()
  readonly #progress = new Progress(() => this.#line())
  #findings = 0
  #seed: number

  constructor(options: FuzzOptions, bundle: FuzzBundle) {
    this.#options = options
    this.#bundle = bundle
    this.#seed = options.seed
    this.#totals = new Map(options.targets.map(target => [target, newTotal(target.name)]))
  }

  async run(): Promise<number> {
    const queue = this.#slices()
    // Each takes the next slice when it has ended one.
    await Promise.all(
      Array.from({ length: this.#options.jobs }, async () => {
        for (let next = queue.next(); next.done !== true; next = queue.next()) await this.#runSlice(next.value)
      })
    )
    this.#progress.end()
    const totals = [...this.#totals.values()]
    console.log(tableOf(totals))
    if (this.#options.record) publishFuzzing(totals, this.#options.minutes)
    return this.#findings === 0 ? 0 : 1
  }

  *#slices(): Generator<{ readonly target: TargetEntry; readonly seconds: number }> {
    const { minutes, targets, jobs } = this.#options
    const share = (minutes * 60 * jobs) / targets.length
    const rounds = Math.ceil(share / mostSliceSeconds)
    for (let round = 0; round < rounds; round++) for (const target of targets) yield { target, seconds: share / rounds }
  }

  async #runSlice({ target, seconds }: { readonly target: TargetEntry; readonly seconds: number }): Promise<void> {
    const task = taskOf(target, this.#bundle, this.#seed++, seconds)
    const result = await runWorker(this.#bundle.path, task, message => this.#hear(target, message))
    this.#running.delete(target)
    const total = this.#totals.get(target)
    if (total !== undefined && result.progress !== undefined) addSlice(total, result.progress)
    for (const finding of result.findings) await this.#keep(target, task, finding)
  }

  #hear(target: TargetEntry, message: WorkerMessage): void {
    if (message.kind !== 'progress') return
    const { executions, seconds, edges, newEdges } = message
    this.#running.set(
      target,
      `${target.name}: ${Math.round(executions / seconds)}/s, ${edges} edges (${newEdges} new), corpus ${message.corpus}`
    )
  }

  async #keep(target: TargetEntry, task: WorkerTask, finding: WorkerFinding): Promise<void> {
    const signature = `${target.name} ${signatureOf(finding.message)}`
    if (this.#signatures.has(signature)) return
    this.#signatures.add(signature)
    this.#findings++
    const total = this.#totals.get(target)
    if (total !== undefined) total.findings++
    const path = join(workFolder, `finding-${target.name}-${nameOf(Buffer.from(finding.input, 'base64'))}`)
    writeFileSync(path, Buffer.from(finding.input, 'base64'))
    if (isLost(finding)) await this.#shrinkLost(task, path)
    this.#progress.tell(
      `\n${target.name}: ${finding.message}\n\nagain: npm run fuzz -- --only ${target.name} --input ${path}\n`
    )
  }

  /** For what ends or blocks the process: every attempt is a process of its own, so there are few. */
  async #shrinkLost(task: WorkerTask, path: string): Promise<void> {
    const until = performance.now() + 120_000
    const attempt = `${path}.attempt`
    const input = new Uint8Array(readFileSync(path))
    const smallest = await shrink(
      input,
      async candidate => {
        writeFileSync(attempt, candidate)
        const { findings } = await runWorker(this.#bundle.path, { ...task, replay: attempt })
        return findings.some(isLost)
      },
      () => performance.now() < until
    )
    writeFileSync(path, smallest)
    rmSync(attempt, { force: true })
  }

  #line(): string {
    const seconds = (performance.now() - this.#started) / 1_000
    const found = this.#findings === 0 ? '' : `, ${this.#findings} FOUND`
    return `${formatTime(seconds)} of ${formatTime(this.#options.minutes * 60)}${found}  ${[...this.#running.values()].join('; ')}`
  }
}

/** Whether the process did not come back from the input. */
function isLost({ message }: WorkerFinding): boolean {
  return /^(?:no end within|the process ended)/.test(message)
}
