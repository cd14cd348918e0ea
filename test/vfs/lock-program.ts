import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort } from 'node:worker_threads'
import { isLightningError } from '../../src/errors.ts'
import { takeSocketLock } from '../../src/vfs/socket-lock.ts'
import type { VfsLock, VfsLockKind } from '../../src/vfs/vfs.ts'

// Takes and leaves a lock as it is told, in a process or a worker of its own.

/** What a test may ask; every request but `leave` and `block` is answered. */
export type Request =
  | { do: 'lock'; location: string; kind: VfsLockKind }
  | { do: 'race'; location: string; kind: VfsLockKind; rounds: number }
  | { do: 'ours' }
  | { do: 'release' }
  | { do: 'block' }
  | { do: 'leave' }

export type Answer = { held: true } | { held: false; code: string; message: string }

let lock: VfsLock | undefined

async function handle(request: Request): Promise<void> {
  switch (request.do) {
    case 'lock':
      return send(await tryLock(request.location, request.kind))
    case 'race':
      return send(await race(request.location, request.kind, request.rounds))
    case 'ours':
      return send(lock?.ours())
    case 'release':
      await lock?.release()
      return send('released')
    case 'block':
      // Says so first, then keeps the thread busy for good: only a signal ends it.
      send('blocked')
      for (;;);
    case 'leave':
      // Without the channel only the lock could keep this process running.
      return process.disconnect()
  }
}

async function tryLock(location: string, kind: VfsLockKind): Promise<Answer> {
  try {
    lock = await takeSocketLock(location, kind)
    return { held: true }
  } catch (error) {
    if (!isLightningError(error)) throw error
    return { held: false, code: error.code, message: error.message }
  }
}

/** Takes the lock again and again; a file that writers make, and nothing protects, shows whether any two ever met. */
async function race(location: string, kind: VfsLockKind, rounds: number): Promise<{ won: number; clashes: number }> {
  const owner = join(location, 'owner')
  let [won, clashes] = [0, 0]
  for (let round = 0; round < rounds; round++) {
    if (!(await tryLock(location, kind)).held) continue
    won++
    if (existsSync(owner)) clashes++
    if (kind === 'exclusive') writeFileSync(owner, String(process.pid))
    await new Promise(resolve => setImmediate(resolve))
    const found = existsSync(owner) ? readFileSync(owner, 'utf8') : undefined
    if (found !== (kind === 'exclusive' ? String(process.pid) : undefined) || lock?.ours() !== true) clashes++
    if (kind === 'exclusive') rmSync(owner, { force: true })
    await lock?.release()
  }
  return { won, clashes }
}

function send(answer: unknown): void {
  if (parentPort !== null) parentPort.postMessage(answer)
  else process.send?.(answer)
}

if (parentPort !== null) parentPort.on('message', handle)
else process.on('message', handle)
