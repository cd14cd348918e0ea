// A process under load, to be killed. It tells every commit that has been acknowledged.
import { applyTo, type KillOptions, openForKill, operationOf } from './kill-load.ts'

export interface KillRequest {
  readonly location: string
  readonly options: KillOptions
  readonly seed: number
  /** The commit after which it closes the database. */
  readonly last: number
}

/** `'closed'` after a clean end. */
export type KillAnswer = { readonly acknowledged: number } | 'closed'

const tell = (answer: KillAnswer) => void process.send?.(answer)

async function run({ location, options, seed, last }: KillRequest): Promise<void> {
  const db = await openForKill(location, options)
  const pending: Promise<void>[] = []
  while (db.sequence() < last) {
    const sequence = db.sequence() + 1
    const written = applyTo(db, operationOf(seed, sequence))
    if (db.sequence() !== sequence) throw new Error(`the operation is commit ${db.sequence()}, not ${sequence}`)
    if (options.durability === 'strict') pending.push(written.then(() => tell({ acknowledged: sequence })))
    else pending.push(written)
    // Some commits go alone, others in groups.
    if (sequence % 3 === 0) await Promise.all(pending.splice(0))
    if (sequence % 10 === 0 && options.durability === 'relaxed') {
      await db.flush()
      tell({ acknowledged: sequence })
    }
    // Beside what follows; that a close ends it is no failure.
    if (sequence % 50 === 0) void db.checkpoint().catch(() => undefined)
    if (sequence % 120 === 0) void db.compact().catch(() => undefined)
  }
  await Promise.all(pending)
  await db.close()
  tell('closed')
}

process.on('message', (request: KillRequest) => {
  void run(request)
})
