// The worker process: fuzzes one target, or runs one input. Bundled with counters by `bundle.ts`.
import { readFileSync } from 'node:fs'
import { targets } from '../targets/index.ts'
import { execute, watchRejections } from './execution.ts'
import { Loop } from './loop.ts'
import type { WorkerMessage, WorkerTask } from './messages.ts'
import type { Target } from './target.ts'

const task: WorkerTask = JSON.parse(process.argv[2] ?? '{}')
process.on('disconnect', () => process.exit(0))
watchRejections()
await main()

async function main(): Promise<void> {
  const entry = targets.find(({ name }) => name === task.target)
  if (entry === undefined) throw new Error(`no such target: ${task.target}`)
  const target = await entry.create()
  if (task.replay !== undefined) await replay(target, new Uint8Array(readFileSync(task.replay)))
  else await new Loop(target, task, tell).run()
  tell({ kind: 'done' })
  process.disconnect?.()
}

async function replay(target: Target, input: Uint8Array): Promise<void> {
  const message = await execute(target, input)
  if (message !== undefined) tell({ kind: 'finding', input: Buffer.from(input).toString('base64'), message })
}

function tell(message: WorkerMessage): void {
  process.send?.(message)
}
