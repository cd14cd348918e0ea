// One execution of a target, with what makes it a finding: an error, a rejection nobody handles, too much memory.
import { getHeapStatistics } from 'node:v8'
import { Finding, type Target } from './target.ts'

/** Memory outside of the heap that one execution may take, in bytes. */
const mostBytes = 512 * 2 ** 20

const strays: unknown[] = []

/** Rejections that nobody handles become findings of the execution in which they are told. */
export function watchRejections(): void {
  process.on('unhandledRejection', reason => void strays.push(reason))
}

/** Runs the target on an input. The result is what is wrong, undefined when nothing is. */
export async function execute(target: Target, input: Uint8Array): Promise<string | undefined> {
  try {
    const before = getHeapStatistics().external_memory
    const running = target.run(input)
    if (running !== undefined) await running
    const taken = getHeapStatistics().external_memory - before
    if (taken > mostBytes) throw new Finding(`an execution took ${Math.round(taken / 2 ** 20)} MiB`)
    if (strays.length > 0) throw new Finding('a rejection that nobody handles', { cause: strays.shift() })
    return undefined
  } catch (error) {
    return describe(error)
  }
}

function describe(error: unknown): string {
  const parts: string[] = []
  for (let at = error, depth = 0; at !== undefined && depth < 4; depth++) {
    parts.push(at instanceof Error ? (at.stack ?? String(at)) : String(at))
    at = at instanceof Error ? at.cause : undefined
  }
  return parts.join('\ncaused by ')
}

/** What findings of one cause have in common: where they were thrown and why, without the numbers. */
export function signatureOf(description: string): string {
  const [message = '', ...stack] = description.split('\n')
  const place = stack.filter(line => line.includes(' at ') && !/target\.ts|execution\.ts/.test(line)).slice(0, 2)
  return [message, ...place].join(' ').replaceAll(/\d+/g, '0')
}
