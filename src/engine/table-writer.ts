// The page table of one checkpoint on its way to the disk: its changed chunks and the directory, everything twice.
//
// A page that is damaged costs its own entries; a chunk would cost those of 256 pages, and a directory all. So each is
// written a second time, in blocks of its own. The copies' places are taken before the images', as low in the file as
// there is room, and the first ones' after them: damage in one place, or a file that lost its end, leaves one of the
// two.
import { IMAGE } from '../../assembly/state.ts'
import { type Extent, sectorsOf } from '../store/block-map.ts'
import { chunkBytes, directoryEntryBytes, metaBlocks, sectorsPerBlock } from '../store/format.ts'
import type { Meta } from '../store/meta.ts'
import type { Core } from './core.ts'
import type { Directory } from './directory.ts'

/** What a meta says of the directory. */
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
  /** What was taken for this checkpoint. */
  readonly written: Extent[] = []
  /** What only the checkpoint before needs. */
  readonly replaced: Extent[] = []

  /** `chunks` have changed since the last checkpoint, of `chunkCount` that there are. */
  constructor(core: Core, chunks: readonly number[], chunkCount: number) {
    this.#core = core
    this.#chunks = chunks
    this.directory = core.directory.copy()
    this.directory.resize(chunkCount)
  }

  /** Takes places for a slice of the copies, the directory's the last; true: all have one. */
  placeCopies(): boolean {
    const last = Math.min(this.#copies.length + placesPerSlice, this.#chunks.length)
    while (this.#copies.length < last) this.#placeCopy(chunkBytes)
    if (last < this.#chunks.length) return false
    this.#placeCopy(this.directory.length * directoryEntryBytes)
    return true
  }

  /** Writes a slice of the chunks as `snapshot` sees them; true: all are written. */
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
