// One measurement in a process of its own: this program started again, with the task as its argument. Engines so never
// share a heap, a compiler's assumptions or a cache, and one that crashes costs one figure.
import { fork, spawnSync } from 'node:child_process'
import { argv } from 'node:process'
import { type DamagedTask, doDamagedPhase, type PhaseResult } from './damaged.ts'
import { dataSet, type Shape } from './data.ts'
import type { Durability } from './drivers/driver.ts'
import { type EngineName, engines } from './engines.ts'
import type { Figure } from './figures.ts'
import { type GroupName, planOf } from './groups.ts'
import { type KernelBuild, type KernelTime, measureKernel } from './kernel-cases.ts'
import { heapBounds } from './many-entries.ts'
import { type Alone, type BankName, measureAlone, measureTransfers, type Transfers } from './transfers.ts'

/** A group of workloads for one engine. */
export interface GroupTask {
  readonly type: 'group'
  readonly group: GroupName
  readonly engine: EngineName
  readonly shape: Shape
  readonly keys: number
  readonly directory: string
  readonly cacheBytes: number
}

/** All functions of one build of the kernel. */
export interface KernelTask {
  readonly type: 'kernel'
  readonly build: KernelBuild
  readonly keys: number
}

/** All ways of one engine to make transfers. */
export interface TransfersTask {
  readonly type: 'transfers'
  readonly bank: BankName
  readonly durability: Durability
  readonly accounts: number
  readonly directory: string
  readonly cacheBytes: number
}

/** A transaction beside a plain put. */
export interface AloneTask {
  readonly type: 'alone'
  readonly accounts: number
  readonly directory: string
  readonly cacheBytes: number
}

export type Task = GroupTask | KernelTask | TransfersTask | AloneTask | DamagedTask

const taskFlag = '--task'

/** Runs a group in a new process. Rejects when it ends without an answer, unless it was to die. */
export async function runGroup(task: GroupTask): Promise<readonly Figure[]> {
  const answer = await runTask(task, planOf(task.group).dies === true)
  return answer?.figures ?? []
}

/** Measures one build of the kernel in a new process. */
export async function runKernel(task: KernelTask): Promise<readonly KernelTime[]> {
  const answer = await runTask(task, false)
  return answer?.times ?? []
}

/** Measures the transfers of one engine in a new process. */
export async function runTransfers(task: TransfersTask): Promise<readonly Transfers[]> {
  const answer = await runTask(task, false)
  return answer?.transfers ?? []
}

/** Measures a transaction that is alone in a new process. */
export async function runAlone(task: AloneTask): Promise<Alone> {
  const answer = await runTask(task, false)
  if (answer?.alone === undefined) throw new Error('the process gave no answer')
  return answer.alone
}

/** Does a phase in a new process that is given little memory. */
export async function runDamaged(task: DamagedTask): Promise<PhaseResult> {
  const answer = await runTask(task, false, heapBounds)
  if (answer?.damaged === undefined) throw new Error('the process gave no answer')
  return answer.damaged
}

/** One of them, as the task was. */
interface Answer {
  readonly figures?: readonly Figure[]
  readonly times?: readonly KernelTime[]
  readonly transfers?: readonly Transfers[]
  readonly alone?: Alone
  readonly damaged?: PhaseResult
}

const largeHeap: readonly string[] = ['--max-old-space-size=12000']

/**
 * What earlier tasks have left to the system to write would be written while the next one is being measured: syncs of a
 * few KiB took ten times as long then. Where there is no such command, that stays so.
 */
function writeOutEarlier(): void {
  spawnSync('sync')
}

function runTask(task: Task, dies: boolean, heap = largeHeap): Promise<Answer | undefined> {
  writeOutEarlier()
  const [, program = ''] = argv
  return new Promise((resolve, reject) => {
    const child = fork(program, [taskFlag, JSON.stringify(task)], {
      execArgv: ['--expose-gc', ...heap, '--enable-source-maps'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc']
    })
    // Before the directory it works in is removed.
    const stop = () => child.kill('SIGKILL')
    process.prependOnceListener('exit', stop)
    let answer: Answer | undefined
    child.on('message', (message: Answer) => {
      answer = message
    })
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      process.off('exit', stop)
      if (answer !== undefined || (dies && signal === 'SIGKILL')) resolve(answer)
      else reject(new Error(`the process ended with ${signal ?? code}`))
    })
  })
}

/** In the new process: does the task that the command line holds, if it holds one, and says whether it did. */
export async function didTask(args: readonly string[]): Promise<boolean> {
  const [flag, text] = args
  if (flag !== taskFlag || text === undefined) return false
  const task: Task = JSON.parse(text)
  // Whoever wanted the answer is gone.
  process.once('disconnect', () => process.exit(1))
  const answer = await doTask(task)
  await new Promise<void>(resolve => process.send?.(answer, () => resolve()))
  process.removeAllListeners('disconnect')
  process.disconnect()
  return true
}

async function doTask(task: Task): Promise<Answer> {
  switch (task.type) {
    case 'group':
      return { figures: await doGroup(task) }
    case 'kernel':
      return { times: await measureKernel(task.build, task.keys) }
    case 'transfers':
      return { transfers: await measureTransfers(task.bank, task, task.accounts) }
    case 'alone':
      return { alone: await measureAlone(task, task.accounts) }
    case 'damaged':
      return { damaged: await doDamagedPhase(task) }
  }
}

function doGroup({ group, engine, shape, keys, directory, cacheBytes }: GroupTask): Promise<Figure[]> {
  const data = dataSet(shape, keys)
  globalThis.gc?.()
  return planOf(group).run({ engine: engines[engine], directory, data, cacheBytes })
}
