// Runs test files in another runtime.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { bundleProgram } from '../support/child.ts'
import type { Outcome } from '../support/elsewhere/runner.ts'
import type { Runtime } from './runtime.ts'

/** Runs what the entry at `url` runs, and resolves when it says that it has ended. */
export async function runInRuntime(runtime: Runtime, url: URL): Promise<Outcome[]> {
  const program = await bundleProgram(url)
  const outcomes: Outcome[] = []
  let hasEnded = false
  try {
    const child = spawn(runtime.program, [...runtime.flags, program.path], { stdio: ['ignore', 'pipe', 'inherit'] })
    const closed = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.startsWith('outcome ')) outcomes.push(JSON.parse(line.slice('outcome '.length)))
      else if (line === 'ended') hasEnded = true
      else console.log(`${runtime.name}: ${line}`)
    }
    const code = await closed
    if (!hasEnded || code !== 0) throw new Error(`${runtime.name} ended with ${code} after ${outcomes.length} tests`)
  } finally {
    await program.remove()
  }
  return outcomes
}
