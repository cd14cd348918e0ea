// The kernel's functions one by one: WebAssembly against the JavaScript build, each build in a process of its own.
import { describeMachine } from './machine.ts'
import { saveResults } from './results.ts'
import { printTable } from './table.ts'
import { runKernel } from './task.ts'

/** Runs the benchmark, prints its table, saves its figures. */
export async function benchKernel({ keys, record }: { readonly keys: number; readonly record: boolean }) {
  const wasm = await runKernel({ type: 'kernel', build: 'wasm', keys })
  const javascript = await runKernel({ type: 'kernel', build: 'javascript', keys })
  const lines = wasm.map(time => {
    const other = javascript.find(({ title }) => title === time.title)
    if (other === undefined) throw new Error(`the JavaScript build was not measured: ${time.title}`)
    const rate = time.bytes === undefined ? '' : `${(time.bytes / time.ns).toFixed(2)} GB/s`
    return [time.title, nanoseconds(time.ns), nanoseconds(other.ns), `${(other.ns / time.ns).toFixed(2)} ×`, rate]
  })
  const heading = ['function', 'WASM, ns', 'JavaScript, ns', 'WASM is faster', 'WASM']
  process.stdout.write(`\nKernel, ${keys.toLocaleString('en')} keys of 16 bytes, values of 100 bytes, 16 KiB pages\n\n`)
  printTable([heading, ...lines])
  await saveResults('kernel', { machine: describeMachine(), keys, wasm, javascript }, record)
}

function nanoseconds(value: number): string {
  return value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en')
}
