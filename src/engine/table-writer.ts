// Writes the page table of one checkpoint: its changed chunks and the directory, everything twice.
//
// A damaged page costs the entries in it. A damaged chunk would cost those of 256 pages, a damaged directory all of
// them. So each is written a second time, in blocks of its own. Places for these copies are taken before those of the
// images, as low in the file as possible, and places for the originals after the images. So damage in one place, or a
// file that has lost its end, leaves one of the two.
import { IMAGE } from '../../assembly/state.ts'
import { type Extent, sectorsOf } from '../store/block-map.ts'
import { chunkBytes, directoryEntryBytes, metaBlocks, sectorsPerBlock } from '../store/format.ts'
import type { Meta } from '../store/meta.ts'
import type { Core } from './core.ts'
import type { Directory } from './directory.ts'

/** The fields of a meta that say where the directory is. */
export type DirectoryPlace = Pick<
  Meta,
  'directorySector' | 'directoryBytes' | 'directoryChecksum' | 'directoryCopySector'
>

const chunksPerSlice = 32
const placesPerSlice = 1_024

export class TableWriter {
  readonly #core: Core
  readonly #chunks: readonly number[]
  readonly #copies: Extent[] = []
  #next = 0
  /** Copies are placed from this block on. */
  #lowest = metaBlocks
  /** The directory as this checkpoint makes it. */
  readonly directory: Directory
  /** Extents taken for this checkpoint. */
  readonly written: Extent[] = []
  /** Extents that only the previous checkpoint needs. */
  readonly replaced: Extent[] = []

  /** `chunks`: those that have changed since the last checkpoint, of `chunkCount`. */
  constructor(core: Core, chunks: readonly number[], chunkCount: number) {
    this.#core = core
    this.#chunks = chunks
    this.directory = core.directory.copy()
    this.directory.resize(chunkCount)
  }

  /** Takes places for some of the copies, the directory's being the last. True: all have one. */
  placeCopies(): boolean {
    const last = Math.min(this.#copies.length + placesPerSlice, this.#chunks.length)
    while (this.#copies.length < last) this.#placeCopy(chunkBytes)
    if (last < this.#chunks.length) return false
    this.#placeCopy(this.directory.length * directoryEntryBytes)
    return true
  }

  /** Writes some of the chunks as `snapshot` sees them. True: all are written. */
  writeChunks(snapshot: number): boolean {
    const { kernel, memory, data, directory } = this.#core
    const image = memory.word(IMAGE)
    const last = Math.min(this.#next + chunksPerSlice, this.#chunks.length)
    for (; this.#next < last; this.#next++) {
      const chunk = this.#chunks[this.#next] ?? 0
      const extent = this.#take(data.takeExtent(chunkBytes))
      const copySector = this.#copies[this.#next]?.sector ?? 0
      kernel.exports.storeChunk(chunk, snapshot, image)
      const bytes = memory.bytes.subarray(image, image + chunkBytes)
      data.write(bytes, extent.sector)
      data.write(bytes, copySector)
      const checksum = kernel.exports.xxh32(image, chunkBytes, chunk) >>> 0
      this.#replace(directory.sector(chunk), chunkBytes)
      this.#replace(directory.copySector(chunk), chunkBytes)
      this.directory.set(chunk, extent.sector, chunkBytes, checksum, copySector)
    }
    return last === this.#chunks.length
  }

  /** Writes the directory, after all chunks. */
  writeDirectory(): DirectoryPlace {
    const { data, meta, checksum } = this.#core
    const bytes = this.directory.encode()
    const extent = this.#take(data.takeExtent(bytes.length))
    const copySector = this.#copies.at(-1)?.sector ?? 0
    data.write(bytes, extent.sector)
    data.write(bytes, copySector)
    this.#replace(meta.directorySector, meta.directoryBytes)
    this.#replace(meta.directoryCopySector, meta.directoryBytes)
    return {
      directorySector: extent.sector,
      directoryBytes: bytes.length,
      directoryChecksum: checksum(bytes, 0),
      directoryCopySector: copySector
    }
  }

  #placeCopy(bytes: number): void {
    const extent = this.#take(this.#core.data.takeLowExtent(bytes, this.#lowest))
    this.#lowest = Math.ceil((extent.sector + extent.sectors) / sectorsPerBlock)
    this.#copies.push(extent)
  }

  #take(extent: Extent): Extent {
    this.written.push(extent)
    return extent
  }

  #replace(sector: number, bytes: number): void {
    if (sector !== 0) this.replaced.push({ sector, sectors: sectorsOf(bytes) })
  }
}
