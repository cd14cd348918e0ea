// The kernel's whole interface: what is exported here is what TypeScript can call, in both builds.
// Arguments and results are 32-bit numbers; a negative result is a status. A WASM u32 above 2^31 arrives in JavaScript
// as a negative number, so callers make addresses and checksums unsigned with >>> 0.
export { entryAt, listFreeIds, loadChunk, nextDirtyAt, putMark, setTableLimit, storeChunk, takeMark } from './chunks'
export { wantedImage } from './ahead'
export { isSound } from './check'
export { evict, nextDirty, reserveFrames } from './frames'
export { moveImage, packImage, setImage, unpackImage } from './image'
export {
  clearLog,
  closeFrame,
  commit,
  commitDelete,
  commitPut,
  findFrame,
  frameBytes,
  frameOperations,
  nextOperation,
  resumeCommit
} from './log'
export { resolve } from './descent'
export { get } from './lookup'
export { lz4Compress, lz4Decompress } from './lz4'
export { apply, beginApply, beginApplyEach, forgetTrees, registerTree } from './operations'
export { inlineBytes } from './page'
export { scan } from './scan'
export { makeTrees, setUp } from './setup'
export { beginStaged, commitStaged, forgetStaged, stagePut } from './staged'
export { frameOf, isId } from './table'
export { closeSnapshot, nextReleased, openSnapshot } from './versions'
export { xxh32 } from './xxh32'
