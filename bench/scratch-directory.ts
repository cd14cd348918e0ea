import { rmSync } from 'node:fs'
import { join } from 'node:path'

/** A place for the databases of a run: emptied at the end of its scope, or of the process if that comes first. */
export class ScratchDirectory implements Disposable {
  /** It need not exist. */
  readonly path: string

  /** Removes the directory with everything in it. */
  readonly clear = (): void => {
    rmSync(this.path, { recursive: true, force: true })
  }

  constructor(parent: string, name: string) {
    this.path = join(parent, `lightning-${name}-${process.pid}`)
    process.once('exit', this.clear)
  }

  [Symbol.dispose](): void {
    process.off('exit', this.clear)
    this.clear()
  }
}
