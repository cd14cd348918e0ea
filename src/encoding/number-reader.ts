/**
 * Reads big-endian numbers from any byte array, by copying them into eight bytes of its own. A `DataView` of the kernel's
 * memory would have to be made anew whenever that grows.
 */
export class NumberReader {
  readonly #bytes = new Uint8Array(8)
  readonly #view = new DataView(this.#bytes.buffer)

  float32(source: Uint8Array, at: number): number {
    this.#load(source, at, 4)
    return this.#view.getFloat32(0)
  }

  float64(source: Uint8Array, at: number): number {
    this.#load(source, at, 8)
    return this.#view.getFloat64(0)
  }

  uint32(source: Uint8Array, at: number): number {
    this.#load(source, at, 4)
    return this.#view.getUint32(0)
  }

  int64(source: Uint8Array, at: number): bigint {
    this.#load(source, at, 8)
    return this.#view.getBigInt64(0)
  }

  uint64(source: Uint8Array, at: number): bigint {
    this.#load(source, at, 8)
    return this.#view.getBigUint64(0)
  }

  /** What `GrowingBytes.orderedFloat` wrote. */
  ordered(source: Uint8Array, at: number): number {
    const bytes = this.#bytes
    this.#load(source, at, 8)
    const first = bytes[0] ?? 0
    if (first >= 0x80) bytes[0] = first & 0x7f
    else for (let i = 0; i < 8; i++) bytes[i] = ~(bytes[i] ?? 0)
    return this.#view.getFloat64(0)
  }

  #load(source: Uint8Array, at: number, count: number): void {
    const bytes = this.#bytes
    for (let i = 0; i < count; i++) bytes[i] = source[at + i] ?? 0
  }
}
