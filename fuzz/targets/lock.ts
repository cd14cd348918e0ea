// The text of lock files, and their names.
import { claimOfSocket, isLockFile, isReaderName } from '../../src/vfs/lock-files.ts'
import { describeHolder, formatHolder, type LockHolder, parseHolder } from '../../src/vfs/lock-holder.ts'
import { expectThat, type Target, type TargetEntry } from '../fuzzer/target.ts'

const holder: LockHolder = {
  kind: 'exclusive',
  pid: 71,
  thread: 0,
  host: 'host',
  boot: 'b00t',
  since: '2026-01-01T00:00:00.000Z',
  place: 'beside',
  directory: '',
  directoryId: '',
  socket: 'LOCK.7.5be0.sock',
  released: false
}

function run(input: Uint8Array): void {
  const text = Buffer.from(input).toString('utf8')
  const found = parseHolder(text)
  if (found !== undefined) {
    const again = parseHolder(formatHolder(found))
    expectThat(JSON.stringify(again) === JSON.stringify(found), 'a holder that was read and written reads the same')
    expectThat(!/[/\\\0]/.test(found.socket), 'the name of a socket is a plain name')
    describeHolder(found)
  }
  const name = text.slice(0, 80)
  const claim = claimOfSocket(name)
  if (claim !== undefined) expectThat(isLockFile(claim) && isLockFile(name), 'a socket stands for a lock file')
  if (isReaderName(name)) expectThat(isLockFile(name) && !name.includes('/'), 'a reader has a plain lock file')
}

async function create(): Promise<Target> {
  const texts = [
    formatHolder(holder),
    formatHolder({ ...holder, kind: 'shared', place: 'temporary', directory: '/tmp', released: true }),
    'LOCK.7',
    'LOCK.r-9f3c',
    'LOCK.7.5be0.sock',
    '{}'
  ]
  return { mostBytes: 600, seeds: texts.map(text => new TextEncoder().encode(text)), run }
}

export const lockTarget: TargetEntry = { name: 'lock', what: 'texts and names of lock files', create }
