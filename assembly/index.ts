// The kernel's whole interface: what is exported here is what TypeScript can call, in both builds.
// Arguments and results are 32-bit numbers; a negative result is a status. A WASM u32 above 2^31 arrives in JavaScript
// as a negative number, so callers make addresses and checksums unsigned with >>> 0.
export { lz4Compress, lz4Decompress } from './lz4'
export { xxh32 } from './xxh32'
