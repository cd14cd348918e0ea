// A disk that crashes and fails where a test says so. Every call through its `Vfs` is counted and can be made to fail;
// everything that changes the disk is recorded, so that the disk as a crash after any call would leave it can be made
// later, without running the workload again.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { assert, LightningError } from '../../src/errors.ts'
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

/** What goes wrong with a call: the system's code, and for a write how much of it still reaches the disk (0 to 1). */
export interface DiskFault {
  readonly code: 'EIO' | 'ENOSPC' | 'EACCES' | 'EMFILE'
  readonly written?: number
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
  #isRecording = false
  #isGone = false
  /** Counts the processes that have used it. */
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

  /** The process dies and another one goes on with this disk: what was handed out is worth nothing, locks are free. */
  restart(): void {
    this.#life++
    this.#holders.clear()
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

  /** A folder of the disk as the database sees it. */
  vfs(folder = ''): Vfs {
    const life = this.#life
    const holders = this.#holders.get(folder) ?? new Set()
    this.#holders.set(folder, holders)
    return new SimulatedVfs(folder, {
      state: this.#state,
      random: this.#random,
      holders,
      call: (kind, file) => (life === this.#life ? this.#call(kind, file) : { code: 'EIO' }),
      change: change => {
        if (life === this.#life) this.#change(change)
      }
    })
  }

  #call(kind: DiskCallKind, file: string): DiskFault | undefined {
    // What goes on after a crash must not touch the disk that a later opener has.
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
    this.#check('open', name)
    const path = this.#path(name)
    let node = this.#access.state.node(path)
    if (node === undefined) {
      if (options.create !== true) throw systemError(withCode('ENOENT'), 'open', name)
      this.#access.change(state => {
        state.create(path)
      })
      node = this.#access.state.node(path)
    }
    if (node === undefined) throw systemError(withCode('EIO'), 'open', name)
    return new SimulatedFile(this.#access, name, node, options.readOnly === true)
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

  async freeBytes(): Promise<number | undefined> {
    return undefined
  }

  freeBytesNow(): number {
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
    if (fault !== undefined) throw systemError(withCode(fault.code), kind, name)
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

class SimulatedFile implements VfsFile {
  readonly name: string
  readonly #access: Access
  readonly #node: number
  readonly #readOnly: boolean
  #isOpen = true
  #syncFailure: LightningError | undefined

  constructor(access: Access, name: string, node: number, readOnly: boolean) {
    this.#access = access
    this.name = name
    this.#node = node
    this.#readOnly = readOnly
  }

  readAt(into: Uint8Array, offset: number): number {
    this.#check(offset)
    this.#refuse(this.#access.call('read', this.name), 'read')
    return this.#access.state.read(this.#node, into, offset)
  }

  writeAt(bytes: Uint8Array, offset: number): void {
    this.#checkWritable(offset)
    const fault = this.#access.call('write', this.name)
    const length = fault === undefined ? bytes.length : Math.floor(bytes.length * (fault.written ?? 0))
    const kept = bytes.slice(0, length)
    if (length > 0) this.#access.change(state => state.write(this.#node, kept, offset))
    this.#refuse(fault, 'write')
  }

  sync(): void {
    this.#check(0)
    if (this.#readOnly) return
    const begun = this.#access.state.beginSync()
    this.#endSync(begun, this.#access.call('sync', this.name))
  }

  async syncAsync(): Promise<void> {
    this.#check(0)
    if (this.#readOnly) return
    const begun = this.#access.state.beginSync()
    const fault = this.#access.call('sync', this.name)
    await nextTurn()
    this.#endSync(begun, fault)
  }

  truncate(bytes: number): void {
    this.#checkWritable(bytes)
    this.#refuse(this.#access.call('resize', this.name), 'resize')
    this.#access.change(state => state.resize(this.#node, bytes))
  }

  size(): number {
    this.#check(0)
    return this.#access.state.size(this.#node)
  }

  close(): void {
    this.#isOpen = false
  }

  #endSync(begun: number, fault: DiskFault | undefined): void {
    if (this.#syncFailure !== undefined) throw this.#syncFailure
    if (fault === undefined) {
      this.#access.change(state => state.endSync(this.#node, begun))
      return
    }
    const seed = this.#access.random.next()
    this.#access.change(state => state.failSync(this.#node, begun, new Random(seed)))
    this.#syncFailure = systemError(withCode(fault.code), 'sync', this.name)
    throw this.#syncFailure
  }

  #refuse(fault: DiskFault | undefined, action: string): void {
    if (fault !== undefined) throw systemError(withCode(fault.code), action, this.name)
  }

  #check(offset: number): void {
    assert(this.#isOpen, `${this.name} is used after close`)
    assert(Number.isSafeInteger(offset) && offset >= 0, `${offset} is no place in ${this.name}`)
  }

  #checkWritable(offset: number): void {
    this.#check(offset)
    if (!this.#readOnly) return
    throw new LightningError('LIGHTNING_READ_ONLY', `Cannot write ${this.name}: it was opened for reading.`)
  }
}

function withCode(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code })
}
