// A disk that crashes and fails where a test says so. Every call through its `Vfs` is counted and can be made to fail;
// everything that changes the disk is recorded, so that the disk as a crash after any call would leave it can be made
// later, without running the workload again.
import { constants } from 'node:fs'
import { assert, LightningError } from '../../src/errors.ts'
import { type FileCalls, openNodeFile } from '../../src/vfs/node-file.ts'
import { systemError } from '../../src/vfs/system-error.ts'
import {
  isDatabaseFile,
  type Vfs,
  type VfsFile,
  type VfsLock,
  type VfsLockKind,
  type VfsOpenOptions
} from '../../src/vfs/vfs.ts'
import { type CrashMood, DiskState, folderOf } from './disk-state.ts'
import { Random } from './random.ts'

export type DiskCallKind = 'read' | 'write' | 'sync' | 'resize' | 'open' | 'rename' | 'remove' | 'sync names'

/** One call, before it takes effect. */
export interface DiskCall {
  /** From 1 on. */
  readonly number: number
  readonly kind: DiskCallKind
  readonly file: string
}

/** What goes wrong with a call. */
export interface DiskFault {
  /** The system's code, if it reports anything. */
  readonly code?: 'EIO' | 'ENOSPC' | 'EACCES' | 'EMFILE'
  /** How much of a write still reaches the disk, or of a read is given, from 0 to 1; a read gives at least a byte. */
  readonly written?: number
  /** A sync that does nothing and reports nothing. */
  readonly lies?: boolean
}

/** One recorded change, or what the test noted between two of them. */
type HistoryEntry<Note> =
  | { readonly change: (state: DiskState) => void; readonly note?: undefined }
  | { readonly change?: undefined; readonly note: Note }

export class SimulatedDisk<Note = unknown> {
  /** Decides what goes wrong with a call; by default nothing. */
  fault: ((call: DiskCall) => DiskFault | undefined) | undefined
  /** Calls so far. */
  calls = 0
  readonly #state: DiskState
  readonly #initial: DiskState
  readonly #random: Random
  readonly #history: HistoryEntry<Note>[] = []
  readonly #holders = new Map<string, Set<SimulatedLock>>()
  #descriptors = new Set<number>()
  #isRecording = false
  #isGone = false
  /** How many processes have used it. */
  #life = 0

  constructor(seed = 1, state = new DiskState()) {
    this.#random = new Random(seed)
    this.#state = state
    this.#initial = state.copy()
  }

  /** Remembers from now on what changes; `images` plays it back. */
  record(): this {
    this.#isRecording = true
    return this
  }

  /** Notes something between two changes, an acknowledgement as a rule. */
  note(note: Note): void {
    if (this.#isRecording) this.#history.push({ note })
  }

  /** Changes recorded. */
  get changes(): number {
    return this.#history.filter(entry => entry.change !== undefined).length
  }

  /**
   * For every point between two recorded changes, in order: the notes made until then, and makers of the disk as a crash
   * of the machine, or of the process alone, at this point leaves it.
   */
  *moments(): Generator<{
    readonly at: number
    readonly notes: readonly Note[]
    crash(seed: number, mood?: CrashMood): SimulatedDisk
    kill(): SimulatedDisk
  }> {
    const state = this.#initial.copy()
    const notes: Note[] = []
    let at = 0
    for (const entry of [...this.#history, undefined]) {
      if (entry !== undefined && entry.change === undefined) {
        notes.push(entry.note)
        continue
      }
      yield {
        at,
        notes,
        crash(seed, mood) {
          const image = state.copy()
          image.crash(new Random(seed), mood)
          return new SimulatedDisk(seed, image)
        },
        kill: () => new SimulatedDisk(at, state.copy())
      }
      entry?.change(state)
      at++
    }
  }

  /** The machine crashes now: this disk is gone, the result is what it holds afterwards. */
  crash(seed: number, mood?: CrashMood): SimulatedDisk<Note> {
    this.#isGone = true
    const state = this.#state.copy()
    state.crash(new Random(seed), mood)
    return new SimulatedDisk(seed, state)
  }

  /** The process dies, the machine does not: what was not synced is there, but still not durable. */
  kill(): SimulatedDisk<Note> {
    this.#isGone = true
    return new SimulatedDisk(1, this.#state.copy())
  }

  /** The process dies and another one goes on with this disk: files that were open are invalid, locks are free. */
  restart(): void {
    this.#life++
    this.#holders.clear()
    this.#descriptors = new Set()
  }

  /** A copy of what is on it. */
  state(): DiskState {
    return this.#state.copy()
  }

  get names(): string[] {
    return this.#state.names
  }

  bytes(name: string): Uint8Array {
    return this.#state.bytes(name)
  }

  /** Gives a file this content, durably. */
  place(name: string, bytes: Uint8Array): void {
    this.#state.place(name, bytes)
  }

  /** Removes a file, durably. */
  take(name: string): void {
    this.#state.remove(name)
    this.#state.syncNames()
  }

  get isLocked(): boolean {
    return [...this.#holders.values()].some(holders => holders.size > 0)
  }

  /** Number of open descriptors: one for every open file, two if it is open for writing. */
  get descriptors(): number {
    return this.#descriptors.size
  }

  /** A folder of the disk as the database sees it. */
  vfs(folder = ''): Vfs {
    const life = this.#life
    const holders = this.#holders.get(folder) ?? new Set()
    this.#holders.set(folder, holders)
    return new SimulatedVfs(folder, {
      state: this.#state,
      random: this.#random,
      holders,
      descriptors: this.#descriptors,
      call: (kind, file) => (life === this.#life ? this.#call(kind, file) : { code: 'EIO' }),
      change: change => {
        if (life === this.#life) this.#change(change)
      }
    })
  }

  #call(kind: DiskCallKind, file: string): DiskFault | undefined {
    // What still runs after a crash must not touch the disk, which another process may have opened.
    if (this.#isGone) return { code: 'EIO' }
    this.calls++
    return this.fault?.({ number: this.calls, kind, file })
  }

  #change(change: (state: DiskState) => void): void {
    change(this.#state)
    if (this.#isRecording) this.#history.push({ change })
  }
}

/** What the parts of the simulated `Vfs` share. */
interface Access {
  readonly state: DiskState
  readonly random: Random
  readonly holders: Set<SimulatedLock>
  readonly descriptors: Set<number>
  call(kind: DiskCallKind, file: string): DiskFault | undefined
  change(change: (state: DiskState) => void): void
}

class SimulatedVfs implements Vfs {
  readonly location: string
  readonly #folder: string
  readonly #access: Access

  constructor(folder: string, access: Access) {
    this.location = folder === '' ? '/simulated' : `/simulated/${folder}`
    this.#folder = folder
    this.#access = access
  }

  async prepare(): Promise<boolean> {
    return true
  }

  async lock(kind: VfsLockKind): Promise<VfsLock> {
    const { holders } = this.#access
    for (const holder of holders) {
      if (kind === 'shared' && holder.kind === 'shared') continue
      throw new LightningError('LIGHTNING_LOCKED', 'The database is open already. Close it there first.')
    }
    const lock = new SimulatedLock(kind, holders)
    holders.add(lock)
    return lock
  }

  async open(name: string, options: VfsOpenOptions = {}): Promise<VfsFile> {
    return openNodeFile(name, name, options, new SimulatedCalls(this.#access, this.#path(name)))
  }

  async exists(name: string): Promise<boolean> {
    return this.#access.state.node(this.#path(name)) !== undefined
  }

  async list(): Promise<string[]> {
    const start = this.#folder.length + (this.#folder === '' ? 0 : 1)
    return this.#access.state.names.filter(path => folderOf(path) === this.#folder).map(path => path.slice(start))
  }

  async remove(name: string): Promise<void> {
    this.#check('remove', name)
    const path = this.#path(name)
    if (this.#access.state.node(path) === undefined) throw systemError(withCode('ENOENT'), 'remove', name)
    this.#access.change(state => state.remove(path))
  }

  async rename(from: string, to: string): Promise<void> {
    this.#check('rename', from)
    const [source, target] = [this.#path(from), this.#path(to)]
    this.#access.change(state => state.rename(source, target))
  }

  async syncDirectory(): Promise<void> {
    this.#check('sync names', '.')
    const folder = this.#folder
    this.#access.change(state => state.syncNames(folder))
  }

  freeBytes(): number {
    return Number.POSITIVE_INFINITY
  }

  async removeAll(): Promise<void> {
    for (const name of await this.list()) if (isDatabaseFile(name)) await this.remove(name)
  }

  #path(name: string): string {
    return this.#folder === '' ? name : `${this.#folder}/${name}`
  }

  #check(kind: DiskCallKind, name: string): void {
    const fault = this.#access.call(kind, name)
    if (fault !== undefined) throw systemError(withCode(fault.code ?? 'EIO'), kind, name)
  }
}

class SimulatedLock implements VfsLock {
  readonly kind: VfsLockKind
  readonly #holders: Set<SimulatedLock>

  constructor(kind: VfsLockKind, holders: Set<SimulatedLock>) {
    this.kind = kind
    this.#holders = holders
  }

  ours(): boolean {
    return this.#holders.has(this)
  }

  async release(): Promise<void> {
    this.#holders.delete(this)
  }
}

/**
 * What the system does with the descriptors of one file. Above it stands the code that also runs on real disks, with its
 * answers to short reads and writes.
 */
class SimulatedCalls implements FileCalls {
  readonly #access: Access
  readonly #path: string
  readonly #name: string
  readonly #nodeOf = new Map<number, number>()

  constructor(access: Access, path: string) {
    this.#access = access
    this.#path = path
    this.#name = path.slice(path.lastIndexOf('/') + 1)
  }

  openSync(_: string, flags: number): number {
    const { state, descriptors } = this.#access
    this.#begin('open')
    if (state.node(this.#path) === undefined) {
      if ((flags & constants.O_CREAT) === 0) throw withCode('ENOENT')
      this.#access.change(state => void state.create(this.#path))
    }
    const node = state.node(this.#path)
    if (node === undefined) throw withCode('EIO')
    let fd = 3
    while (descriptors.has(fd)) fd++
    descriptors.add(fd)
    this.#nodeOf.set(fd, node)
    return fd
  }

  closeSync(fd: number): void {
    this.#node(fd)
    this.#nodeOf.delete(fd)
    this.#access.descriptors.delete(fd)
  }

  readSync(fd: number, into: Uint8Array, from: number, length: number, position: number): number {
    const node = this.#node(fd)
    const given = this.#begin('read')?.written
    const wanted = given === undefined ? length : Math.max(1, Math.floor(length * given))
    return this.#access.state.read(node, into.subarray(from, from + wanted), position)
  }

  writeSync(fd: number, bytes: Uint8Array, from: number, length: number, position: number): number {
    const node = this.#node(fd)
    const fault = this.#access.call('write', this.#name)
    const written = fault === undefined ? length : Math.floor(length * (fault.written ?? 0))
    const kept = bytes.slice(from, from + written)
    if (written > 0) this.#access.change(state => state.write(node, kept, position))
    if (fault?.code !== undefined) throw withCode(fault.code)
    return written
  }

  fdatasyncSync(fd: number): void {
    const node = this.#node(fd)
    const begun = this.#access.state.beginSync()
    this.#endSync(node, begun, this.#access.call('sync', this.#name))
  }

  fdatasync(fd: number, callback: (error: Error | null) => void): void {
    const node = this.#node(fd)
    const begun = this.#access.state.beginSync()
    const fault = this.#access.call('sync', this.#name)
    setImmediate(() => {
      try {
        this.#endSync(node, begun, fault)
      } catch (error) {
        callback(error instanceof Error ? error : new Error(String(error)))
        return
      }
      callback(null)
    })
  }

  ftruncateSync(fd: number, bytes: number): void {
    const node = this.#node(fd)
    this.#begin('resize')
    this.#access.change(state => state.resize(node, bytes))
  }

  fstatSync(fd: number): { readonly size: number } {
    return { size: this.#access.state.size(this.#node(fd)) }
  }

  #endSync(node: number, begun: number, fault: DiskFault | undefined): void {
    if (fault?.lies === true) return
    if (fault?.code === undefined) {
      this.#access.change(state => state.endSync(node, begun))
      return
    }
    const seed = this.#access.random.next()
    this.#access.change(state => state.failSync(node, begun, new Random(seed)))
    throw withCode(fault.code)
  }

  /** Throws what the call reports; otherwise what else is wrong with it. */
  #begin(kind: DiskCallKind): DiskFault | undefined {
    const fault = this.#access.call(kind, this.#name)
    if (fault?.code !== undefined) throw withCode(fault.code)
    return fault
  }

  #node(fd: number): number {
    const node = this.#nodeOf.get(fd)
    assert(node !== undefined, `descriptor ${fd} of ${this.#name} is open`)
    return node
  }
}

function withCode(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code })
}
