import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'

const blockBytes = 4096
const fileBytes = 4 << 20

/** What no durable write can be faster than: bytes written into a file that has its blocks already, and synced. */
export class Floor {
  readonly #path: string
  readonly #file: number
  readonly #bytes = new Uint8Array(fileBytes).fill(1)
  #at = 0

  /** Makes the file; its directory exists. */
  constructor(path: string) {
    this.#path = path
    this.#file = openSync(path, 'w')
    writeSync(this.#file, this.#bytes, 0, fileBytes, 0)
    fdatasyncSync(this.#file)
  }

  /** So many times a block of its own. */
  syncEach(times: number): void {
    for (let i = 0; i < times; i++) this.#writeAndSync(blockBytes)
  }

  /** The bytes of all values copied, written and synced together; one promise that all wait for. */
  async syncTogether(writes: readonly { readonly value: Uint8Array }[]): Promise<void> {
    let told: () => void = () => undefined
    const synced = new Promise<void>(resolve => {
      told = resolve
    })
    const pending: Promise<void>[] = []
    let length = 0
    for (const { value } of writes) {
      this.#bytes.set(value, length)
      length += value.length
      pending.push(synced)
    }
    this.#writeAndSync(length)
    told()
    await Promise.all(pending)
  }

  #writeAndSync(length: number): void {
    if (this.#at + length > fileBytes) this.#at = 0
    writeSync(this.#file, this.#bytes, 0, length, this.#at)
    fdatasyncSync(this.#file)
    this.#at += length
  }

  close(): void {
    closeSync(this.#file)
    rmSync(this.#path)
  }
}
