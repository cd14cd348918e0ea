// The kernel's functions one by one: WebAssembly against the JavaScript build, each build in a process of its own.
import type { KernelTime } from './kernel-cases.ts'
import { describeMachine } from './machine.ts'
import { saveResults } from './results.ts'
import { printTable } from './table.ts'
import { runKernel } from './task.ts'

export interface KernelBenchOptions {
  readonly keys: number
  /** Both builds are measured in turn so many times; the best of each counts. */
  readonly repeat: number
  readonly record: boolean
}

/** Runs the benchmark, prints its table, saves its figures. */
export async function benchKernel({ keys, repeat, record }: KernelBenchOptions): Promise<void> {
  let wasm: readonly KernelTime[] = []
  let javascript: readonly KernelTime[] = []
  for (let round = 0; round < repeat; round++) {
    wasm = bestOf(wasm, await runKernel({ type: 'kernel', build: 'wasm', keys }))
    javascript = bestOf(javascript, await runKernel({ type: 'kernel', build: 'javascript', keys }))
  }
  const lines = wasm.map(time => {
    const other = javascript.find(({ title }) => title === time.title)
    if (other === undefined) throw new Error(`the JavaScript build was not measured: ${time.title}`)
    const rate = time.bytes === undefined ? '' : `${(time.bytes / time.ns).toFixed(2)} GB/s`
    return [time.title, nanoseconds(time.ns), nanoseconds(other.ns), `${(other.ns / time.ns).toFixed(2)} ×`, rate]
  })
  const heading = ['function', 'WASM, ns', 'JavaScript, ns', 'WASM is faster', 'WASM']
  process.stdout.write(`\nKernel, ${keys.toLocaleString('en')} keys of 16 bytes, values of 100 bytes, 16 KiB pages\n\n`)
  printTable([heading, ...lines])
  await saveResults('kernel', { machine: describeMachine(), keys, repeat, wasm, javascript }, record)
}

function bestOf(before: readonly KernelTime[], now: readonly KernelTime[]): readonly KernelTime[] {
  return now.map((time, i) => {
    const other = before[i]
    return other !== undefined && other.ns < time.ns ? other : time
  })
}

function nanoseconds(value: number): string {
  return value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en')
}
