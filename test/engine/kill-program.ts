// A process under load, to be killed. It tells every commit that has been acknowledged; what a commit leaves follows from
// its number alone, so that whoever opens the database afterwards can tell what must be there.
import { Engine } from '../../src/engine/engine.ts'
import { nodeVfs } from '../../src/vfs/node.ts'
import { applyTo, killOptions, operationOf } from './kill-load.ts'

async function run(location: string, commits: number): Promise<void> {
  const engine = await Engine.open(nodeVfs(location), killOptions)
  const tree = engine.tree(new Uint8Array(0))
  const pending: Promise<void>[] = []
  while (engine.sequence < commits) {
    const lsn = engine.sequence + 1
    applyTo(engine, tree, operationOf(lsn))
    pending.push(engine.settled().then(() => void process.send?.({ acknowledged: lsn })))
    // Some commits go alone, others in groups.
    if (lsn % 3 === 0) await Promise.all(pending.splice(0))
    if (lsn % 50 === 0) void engine.checkpoint().catch(() => undefined)
  }
  await Promise.all(pending)
  await engine.close()
  process.send?.({ closed: true })
}

process.on('message', (message: { location: string; commits: number }) => {
  void run(message.location, message.commits)
})
