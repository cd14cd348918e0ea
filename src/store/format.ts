// The data file: blocks of 4 KiB, two meta slots first. docs/file-format.md draws every structure.

/** Unit of allocation between runs; runs never share a block with what is protected. */
export const blockBytes = 4_096
/** Unit in which images are packed within a run. */
export const sectorBytes = 512
export const sectorsPerBlock = blockBytes / sectorBytes
/** Blocks at the start of the file that hold the meta slots. */
export const metaBlocks = 2
/** Bytes of a slot that are used; the checksum stands in their last word. */
export const metaBytes = 512

export const formatVersion = 1
/** Required features this version knows; any other bit set is LIGHTNING_VERSION. */
export const knownFeatures = 0

export const chunkIds = 256
export const entryBytes = 24
export const chunkBytes = chunkIds * entryBytes
export const directoryEntryBytes = 16

export const dataFileName = 'data.ldb'
export const newDataFileName = 'data.ldb.new'
export const logFileNames = ['wal-0.ldb', 'wal-1.ldb'] as const
