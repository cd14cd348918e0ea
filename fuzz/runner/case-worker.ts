// The side of the worker process: runs the cases it is sent, one at a time.
import { Worker } from 'node:worker_threads'
import type { Counts, Trial } from './trial.ts'

/** The first argument of a worker process; the second is the name of its trial. */
export const workerFlag = '--worker'

/** What a worker process is asked: to run the case of a seed, or this one. */
export type Request = { readonly seed: number } | { readonly testCase: unknown }

/** What it answers. */
export type Answer = { readonly counts: Counts } | { readonly error: string }

/** Serves until the process that started this one lets go. */
export function serveCases(trials: readonly Trial<unknown>[], name: string | undefined): void {
  const trial = trials.find(one => one.name === name)
  if (trial === undefined) throw new Error(`no such trial: ${name}`)
  const strays: unknown[] = []
  process.on('unhandledRejection', reason => void strays.push(reason))
  watchMemory(trial.mostBytes ?? defaultMostBytes)
  process.on('disconnect', () => process.exit(0))
  process.on('message', (request: Request) => {
    void answerTo(trial, request, strays).then(answer => process.send?.(answer))
  })
}

const defaultMostBytes = 2 * 2 ** 30

async function answerTo(trial: Trial<unknown>, request: Request, strays: unknown[]): Promise<Answer> {
  strays.length = 0
  try {
    // Through JSON in any case: what a case loses there it must not depend on.
    const testCase = 'seed' in request ? jsonOf(trial.caseOf(request.seed)) : request.testCase
    const counts = await trial.run(testCase)
    // Rejections that nobody handles are told after the microtasks.
    await new Promise(resolve => setImmediate(resolve))
    if (strays.length > 0) return { error: `An unhandled rejection:\n${describeError(strays[0])}` }
    return { counts }
  } catch (error) {
    return { error: describeError(error) }
  }
}

/** A copy of a case as it is printed and read back. */
export function jsonOf(testCase: unknown): unknown {
  return JSON.parse(JSON.stringify(testCase))
}

/** Stack and causes. */
function describeError(error: unknown): string {
  const parts: string[] = []
  for (let at = error, depth = 0; at !== undefined && depth < 8; depth++) {
    parts.push(at instanceof Error ? (at.stack ?? String(at)) : String(at))
    at = at instanceof Error ? at.cause : undefined
  }
  return parts.join('\ncaused by ')
}

/**
 * Ends the process when it takes too much memory, while the main thread is busy, too. The last words tell the other side
 * what happened.
 */
function watchMemory(mostBytes: number): void {
  const program = `
    const { writeSync } = require('node:fs')
    const { workerData } = require('node:worker_threads')
    setInterval(() => {
      const bytes = process.memoryUsage.rss()
      if (bytes < workerData) return
      writeSync(2, 'It took ' + Math.round(bytes / 2 ** 20) + ' MiB of memory, more than a case may.')
      process.kill(process.pid, 'SIGKILL')
    }, 250)`
  new Worker(program, { eval: true, workerData: mostBytes }).unref()
}
