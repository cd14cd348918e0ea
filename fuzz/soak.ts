// The entry of `npm run soak`: mixed traffic at a constant rate for as long as it is told, and the proof that memory,
// descriptors, files and latencies are as flat as the load. Lines go to the standard output.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { describeMachine } from '../bench/machine.ts'
import { readCommandLine } from '../scripts/command-line.mjs'
import { parseSoakOptions, usage } from './soak/options.ts'
import { duration, tableOf } from './soak/report.ts'
import { limitsOf, soak, type SoakResult } from './soak/run.ts'
import { complaintsOf, findingsOf } from './soak/verdict.ts'

const recordPath = 'fuzz/results/soak.json'
const interruptedCode = 130
/** Samples that are recorded at most. */
const mostRecorded = 120

const print = (line: string) => void process.stdout.write(`${line}\n`)

async function main(args: readonly string[]): Promise<number> {
  const options = readCommandLine(args, usage, parseSoakOptions)
  if (options === undefined) return Number(process.exitCode ?? 0)
  if (globalThis.gc === undefined) throw new Error('memory is measured after a collection: run node with --expose-gc')
  const interruption = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort())
  const result = await soak(options, print, interruption.signal)
  const limits = limitsOf(options)
  const findings = findingsOf(result.samples, limits)
  const complaints = complaintsOf(result.samples, limits)
  print('')
  for (const line of tableOf(findings)) print(line)
  const seconds = result.samples.at(-1)?.at ?? 0
  print('')
  print(
    `${duration(seconds)}, ${result.operations.toLocaleString('en')} operations at ${options.rate} a second, all answers right`
  )
  print(
    Object.entries(result.care)
      .map(([kind, count]) => `${count} × ${kind}`)
      .join(', ')
  )
  if (!result.isComplete) print('interrupted; --resume goes on')
  if (findings.length === 0 && result.isComplete) complaints.push('too few samples to tell whether anything grows')
  for (const complaint of complaints) print(`FAILED: ${complaint}`)
  if (complaints.length > 0) print(`again: npm run soak -- ${args.join(' ')}`)
  if (options.record) record(result, { findings, complaints, seconds, rate: options.rate, seed: options.seed })
  if (result.isComplete) rmSync(options.directory, { recursive: true, force: true })
  return complaints.length > 0 ? 1 : result.isComplete ? 0 : interruptedCode
}

function record({ samples, operations, care }: SoakResult, verdict: object): void {
  mkdirSync('fuzz/results', { recursive: true })
  const step = Math.ceil(samples.length / mostRecorded)
  const kept = samples.filter((_, i) => i % step === 0)
  const results = { machine: describeMachine(), ...verdict, operations, care, samples: kept }
  writeFileSync(recordPath, `${JSON.stringify(results, undefined, 2)}\n`)
  print(`saved ${recordPath}`)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  print(`FAILED: ${text}`)
  print(`again: npm run soak -- ${process.argv.slice(2).join(' ')}`)
  process.exitCode = 1
}
