// Writing page images: frames are packed one behind the other into the kernel's image area, get places in the data file
// and are written with as few calls as the places allow. Only then do the entries of the page table name the new
// images.
import { IMAGE, IMAGE_CAPACITY, IMAGE_CHECKSUM, IMAGE_FORMAT, PAGE_BYTES } from '../../assembly/state.ts'
import type { Kernel } from '../kernel/load.ts'
import type { KernelMemory } from '../kernel/kernel-memory.ts'
import { assertStatus } from '../kernel/status.ts'
import type { DataFile } from './data-file.ts'
import { sectorBytes } from './format.ts'
import { sectorsOf } from './block-map.ts'
import { neighbours } from './neighbours.ts'

interface PackedImage {
  readonly frame: number
  readonly at: number
  readonly bytes: number
  readonly format: number
  readonly checksum: number
}

export class ImageRun {
  readonly #kernel: Kernel
  readonly #memory: KernelMemory
  readonly #data: DataFile
  readonly #compress: number
  #images: PackedImage[] = []
  #end = 0
  /** Images and bytes written since the database was opened. */
  readonly written = { images: 0, bytes: 0 }

  constructor(kernel: Kernel, memory: KernelMemory, data: DataFile, compress: boolean) {
    this.#kernel = kernel
    this.#memory = memory
    this.#data = data
    this.#compress = compress ? 1 : 0
  }

  get length(): number {
    return this.#images.length
  }

  get bytes(): number {
    return this.#end
  }

  /** Whether another page certainly fits. */
  get hasRoom(): boolean {
    return this.#end + this.#memory.word(PAGE_BYTES) + sectorBytes <= this.#memory.word(IMAGE_CAPACITY)
  }

  has(frame: number): boolean {
    return this.#images.some(image => image.frame === frame)
  }

  /** Packs the frame's image as it is now. Nothing may change the frame before `flush`. */
  add(frame: number): void {
    const at = this.#end
    const start = this.#memory.word(IMAGE) + at
    const bytes = this.#kernel.exports.packImage(frame, start, this.#compress)
    const format = this.#memory.word(IMAGE_FORMAT)
    const checksum = this.#memory.word(IMAGE_CHECKSUM)
    this.#end = at + sectorsOf(bytes) * sectorBytes
    this.#memory.bytes.fill(0, start + bytes, this.#memory.word(IMAGE) + this.#end)
    this.#images.push({ frame, at, bytes, format, checksum })
  }

  /** Writes what was packed and makes the page table name it. If that fails, the pages left are as dirty as before. */
  flush(): void {
    const images = this.#images
    if (images.length === 0) return
    this.#images = []
    const end = this.#end
    this.#end = 0
    const sectors = this.#data.takeRun(images.map(image => image.bytes))
    const extents = images.map(({ bytes }, i) => ({ sector: sectors[i] ?? 0, sectors: sectorsOf(bytes) }))
    let named = 0
    try {
      const base = this.#memory.word(IMAGE)
      for (const { from, sector, sectors } of neighbours(extents)) {
        const start = base + (images[from]?.at ?? 0)
        this.#data.write(this.#memory.bytes.subarray(start, start + sectors * sectorBytes), sector)
      }
      for (const { frame, bytes, format, checksum } of images) {
        assertStatus(
          this.#kernel.exports.setImage(frame, sectors[named] ?? 0, bytes, format, checksum),
          'naming an image'
        )
        named++
      }
    } catch (error) {
      for (const extent of extents.slice(named)) this.#data.release(extent)
      throw error
    }
    this.written.images += images.length
    this.written.bytes += end
  }

  /** Forgets what was packed. */
  clear(): void {
    this.#images = []
    this.#end = 0
  }
}
