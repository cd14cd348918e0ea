// The commits that wait to become durable, in groups: those of a group share one write, one sync and one promise.

interface Group {
  /** The last commit of the group. */
  lsn: number
  /** No later commit joins: a sync has begun that covers only the commits until now. */
  isCut: boolean
  readonly promise: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export class CommitGroups {
  /** Oldest first. */
  #groups: Group[] = []
  /** The newest one, as long as commits may join. */
  #open: Group | undefined

  get isEmpty(): boolean {
    return this.#groups.length === 0
  }

  /** Waits for the commits up to `lsn`, the newest, together with those who came before and were not cut off. */
  join(lsn: number): Promise<void> {
    const group = this.#open ?? this.#begin()
    group.lsn = lsn
    return group.promise
  }

  #begin(): Group {
    const group = newGroup()
    this.#groups.push(group)
    this.#open = group
    return group
  }

  /** Later commits do not wait with those made until now. */
  cut(): void {
    if (this.#open !== undefined) this.#open.isCut = true
    this.#open = undefined
  }

  /** What is being synced and has the commit `lsn` in it. */
  syncing(lsn: number): Promise<void> | undefined {
    return this.#groups.find(group => group.isCut && group.lsn >= lsn)?.promise
  }

  /** Everything up to `lsn` is on stable storage. */
  resolve(lsn: number): void {
    while (this.#groups[0] !== undefined && this.#groups[0].lsn <= lsn) this.#groups.shift()?.resolve()
    if (this.#groups.length === 0) this.#open = undefined
  }

  /** Ends all waiting. The result tells those who waited, once it is known up to where commits have become durable. */
  end(): (durableLsn: number, error: unknown) => void {
    const groups = this.#groups
    this.#groups = []
    this.#open = undefined
    return (durableLsn, error) => {
      for (const group of groups) {
        if (group.lsn <= durableLsn) group.resolve()
        else group.reject(error)
      }
    }
  }
}

function newGroup(): Group {
  let resolve: () => void = () => undefined
  let reject: (error: unknown) => void = () => undefined
  const promise = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { lsn: 0, isCut: false, promise, resolve, reject }
}
