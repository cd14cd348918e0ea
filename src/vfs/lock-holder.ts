import { createHash } from 'node:crypto'
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { threadId } from 'node:worker_threads'
import { guarded, systemCodeOf } from './system-error.ts'
import type { VfsLockKind } from './vfs.ts'

/** Where a holder's socket is: beside the database, else among the temporary files; a pipe on Windows. */
export type SocketPlace = 'beside' | 'temporary' | 'pipe'

/** Who holds a lock, as a lock file tells it: JSON of exactly these properties. */
export interface LockHolder {
  readonly kind: VfsLockKind
  readonly pid: number
  /** 0 is the main thread. */
  readonly thread: number
  readonly host: string
  /** Changes when the machine starts anew; empty where the system does not tell. */
  readonly boot: string
  /** When the lock was taken, ISO 8601. */
  readonly since: string
  readonly place: SocketPlace
  /** The directory of the socket unless it is beside, and what tells it from another of the same path. */
  readonly directory: string
  readonly directoryId: string
  /** Name of the socket. */
  readonly socket: string
  readonly released: boolean
}

/** This thread as a holder, its socket under `socket` in `place`. */
export function thisHolder(kind: VfsLockKind, place: SocketPlace, socket: string): LockHolder {
  return {
    kind,
    pid: process.pid,
    thread: threadId,
    host: machineName(),
    boot: bootId(),
    since: new Date().toISOString(),
    place,
    directory: place === 'beside' ? '' : placeDirectory(place, ''),
    directoryId: place === 'temporary' ? identityOf(tmpdir()) : '',
    socket,
    released: false
  }
}

export function formatHolder(holder: LockHolder): string {
  return `${JSON.stringify(holder)}\n`
}

/** What a lock file says; undefined if that cannot be made out: such a file was not finished, or has been damaged. */
export function parseHolder(text: string): LockHolder | undefined {
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null) return undefined
  const fields: Record<string, unknown> = { ...value }
  const { kind, pid, thread, host, boot, since, place, directory, directoryId, socket, released } = fields
  if (kind !== 'exclusive' && kind !== 'shared') return undefined
  if (place !== 'beside' && place !== 'temporary' && place !== 'pipe') return undefined
  if (typeof pid !== 'number' || typeof thread !== 'number' || typeof released !== 'boolean') return undefined
  if (typeof host !== 'string' || typeof boot !== 'string' || typeof since !== 'string') return undefined
  if (typeof directory !== 'string' || typeof directoryId !== 'string' || typeof socket !== 'string') return undefined
  if (!/^[\w.-]{1,80}$/.test(socket) || directory.includes('\0')) return undefined
  return { kind, pid, thread, host, boot, since, place, directory, directoryId, socket, released }
}

/** "process 71 (thread 2) on host, since …", for messages. */
export function describeHolder(holder: LockHolder | undefined): string {
  if (holder === undefined) return 'a process whose lock file cannot be read'
  const thread = holder.thread === 0 ? 'main thread' : `worker thread ${holder.thread}`
  return `process ${holder.pid} (${thread}) on ${holder.host}, since ${holder.since}`
}

/**
 * Whether it can be told at all, from here, that nobody listens to the holder's socket. `isShared` tells whether other
 * machines may reach the same disk.
 */
export function canSee(holder: LockHolder, isShared: () => boolean): boolean {
  const boot = bootId()
  const sameMachine = holder.boot === boot && (boot !== '' || holder.host === machineName())
  // Another container of this machine may share the database and not the temporary files.
  if (sameMachine) return holder.place !== 'temporary' || holder.directoryId === identityOf(holder.directory)
  // It is from before a restart and gone. (Windows and the Linux inside it go by one name, and only one tells.)
  if (holder.host === machineName() && holder.boot !== '' && boot !== '') return true
  // It is gone, and the disk came here, unless it runs on another machine that reaches the same disk.
  return !isShared()
}

/**
 * Whether the holder may be busy though its socket refuses connections. Other systems than Linux refuse them when too
 * many wait; there a process of its number, which may have been given anew, leaves that open.
 */
export function mayBeBusy({ pid, host }: LockHolder): boolean {
  return process.platform !== 'linux' && host === machineName() && isRunning(pid)
}

function isRunning(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch (error) {
    return systemCodeOf(error) === 'EPERM'
  }
}

/** The directory of sockets in this place, for the database in `beside`. */
export function placeDirectory(place: SocketPlace, beside: string): string {
  if (place === 'beside') return beside
  return place === 'pipe' ? '\\\\.\\pipe\\' : tmpdir()
}

/** What the names of this database's sockets in this place begin with. */
export function placePrefix(place: SocketPlace, beside: string): string {
  if (place === 'beside') return ''
  const hash = createHash('sha256').update(realpathSync(beside)).digest('hex')
  return `lightning-${hash.slice(0, 16)}-`
}

function machineName(): string {
  return guarded('tell the name of', 'this machine', hostname)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  } catch {
    // Only Linux tells.
    return ''
  }
}

function identityOf(directory: string): string {
  const found = statSync(directory, { bigint: true, throwIfNoEntry: false })
  return found === undefined ? '' : `${found.dev}:${found.ino}`
}
