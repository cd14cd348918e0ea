// Where the kernel keeps its state: words at fixed addresses in its own memory, so that nothing lives in globals
// (an instance over the same memory sees the same state) and both builds share one picture.
//
//   0       nothing: address 0 means "none"
//   256     the words below
//   1024    path of the current descent: per level frame (4), child index (4), page id (4), unused (4)
//   1424    leaves found ahead for the next operations: 512 bytes
//   2048    key scratch (point key, lower bound)        } each holds the longest key and some slack
//   4096    second key scratch (upper bound)            }
//   6144    two separator buffers, used in turn, and one for joined keys, 2 KiB each
//   12288   small values, copied to where words can be read
//   12544   first address of the arena

export const PATH: u32 = 1024
export const AHEAD: u32 = 1424
export const KEY: u32 = 2048
export const KEY2: u32 = 4096
export const SEPARATOR: u32 = 6144
export const JOINED: u32 = 10240
export const SMALL_VALUE: u32 = 12288
export const SMALL_VALUE_BYTES: u32 = 256
export const ARENA: u32 = 12544

/** The longest key, bytes. */
export const MAX_KEY_BYTES: u32 = 1024
/**
 * Bytes between frames, a line of the processor's cache. Every get looks at headers of pages; if they stood at multiples
 * of the page size, the cache would have room for only a few of them.
 */
export const FRAME_GAP: u32 = 64
/** Shortcuts from a key's hash to its cell: few enough to stay in the processor's own cache. */
export const SHORTCUT_COUNT: u32 = 65536
export const SHORTCUT_BYTES: u32 = 16
/** A tree is never higher; a page that claims more is damaged. */
export const MAX_LEVEL: u32 = 24

// Statuses: what a call that could not finish returns. A call that returns MISS or NEED_* has changed nothing.
export const OK: i32 = 0
export const NOT_FOUND: i32 = -1
/** The page whose id stands in WANTED_PAGE must be brought in first. */
export const MISS: i32 = -2
/** Frames must be freed first (WANTED_FRAMES says how many must be free). */
export const NEED_FRAMES: i32 = -3
/** Memory could not grow. */
export const OUT_OF_MEMORY: i32 = -4
/** The page in WANTED_PAGE contradicts what its parent says of it. */
export const CORRUPT: i32 = -5
/** The tree whose id stands in WANTED_TREE must be registered first. */
export const NEED_TREE: i32 = -6
/** An operation in the log cannot be understood. */
export const BAD_OPERATION: i32 = -7
/** The page table is full. */
export const TABLE_FULL: i32 = -8
/** The images of pages that are about to change should be written first (`isImageWanted`); it may be left undone. */
export const NEED_IMAGES: i32 = -9

export const PAGE_BYTES: u32 = 256
export const ARENA_TOP: u32 = 260
export const ARENA_END: u32 = 264
export const WANTED_PAGE: u32 = 268
export const WANTED_FRAMES: u32 = 272
export const WANTED_TREE: u32 = 276
/** Length of the value a lookup found; flags of its cell. */
export const VALUE_BYTES: u32 = 280
export const VALUE_FLAGS: u32 = 284

// Frames
export const FRAME_LIMIT: u32 = 288
export const FRAME_COUNT: u32 = 292
export const FRAMES_FREE: u32 = 296
export const FRAMES_DIRTY: u32 = 300
export const FREE_FRAME_LIST: u32 = 304
export const FRAME_DIRECTORY: u32 = 308
export const CLOCK_HAND: u32 = 312
export const STAMP: u32 = 316

// Page table
export const TABLE_DIRECTORY: u32 = 320
export const TABLE_LIMIT: u32 = 324
export const FREE_ID_LIST: u32 = 328
export const PAGES_USED: u32 = 332
/** Record of the version that a MISS wants; 0: the newest version. */
export const WANTED_RECORD: u32 = 336

// Versions
export const EPOCH_LOW: u32 = 340
export const EPOCH_HIGH: u32 = 344
export const SNAPSHOT_NEWEST: u32 = 348
export const SNAPSHOT_OLDEST: u32 = 352
export const FREE_RECORDS: u32 = 356
export const RECORDS_USED: u32 = 360
export const FREE_SNAPSHOTS: u32 = 364
export const RELEASED: u32 = 368
export const RELEASED_COUNT: u32 = 372
export const WROTE_IN_EPOCH: u32 = 376
export const FREE_RECORD_COUNT: u32 = 560
export const SNAPSHOTS_OPEN: u32 = 564
/** Not 0 while a checkpoint's snapshot is open, which is there for images only, and writing them early has not failed. */
export const CHECKPOINT_SNAPSHOT: u32 = 960

// Work areas
export const WORK: u32 = 380
export const WORK2: u32 = 384
export const ENTRY_LIST: u32 = 388
export const ENTRY_COUNT: u32 = 392
export const HASH_TABLE: u32 = 396
export const SHORTCUTS: u32 = 400
export const OUT: u32 = 404
export const OUT_CAPACITY: u32 = 408
export const OUT_BYTES: u32 = 412
export const OUT_MORE: u32 = 416
export const IMAGE: u32 = 420
export const IMAGE_CAPACITY: u32 = 424
export const LOG: u32 = 428
export const LOG_CAPACITY: u32 = 432
export const LOG_BYTES: u32 = 436
export const TREES: u32 = 440
export const DROP_STACK: u32 = 444
export const DROP_COUNT: u32 = 448

// The entry being inserted into a page
export const NEW_KEY: u32 = 452
export const NEW_KEY_BYTES: u32 = 456
export const NEW_WORD: u32 = 460
export const NEW_VALUE: u32 = 464
export const NEW_VALUE_BYTES: u32 = 468

// Commits
export const LSN_LOW: u32 = 472
export const LSN_HIGH: u32 = 476
export const DURABLE_LOW: u32 = 480
export const DURABLE_HIGH: u32 = 484
export const TIME_LOW: u32 = 488
export const TIME_HIGH: u32 = 492
export const PREVIOUS_CHECKSUM: u32 = 496
export const IDENTITY: u32 = 500
export const INCARNATION_LOW: u32 = 504
export const INCARNATION_HIGH: u32 = 508
export const APPLY_PHASE: u32 = 512
export const APPLY_AT: u32 = 516
/** Length of the key in KEY2 whose leaf a range deletion left underfull; 0: none. */
export const TRIMMED_KEY_BYTES: u32 = 528

// Counters, for `stats()`; they wrap.
export const COUNT_SPLITS: u32 = 532
export const COUNT_MERGES: u32 = 536
export const COUNT_COPIES: u32 = 540
export const COUNT_SHORTCUT_HITS: u32 = 544
export const COUNT_EVICTIONS: u32 = 548

/** What is wrong with the page that was refused last (a number explained in check.ts). */
export const PROBLEM: u32 = 552
export const OPERATIONS_END: u32 = 556
export const MADE_ROOT: u32 = 568
export const FRAME_FLAGS: u32 = 580
/** The cell's value of the large value, or of the tree in the catalog, that is being put: 8 bytes. */
export const REFERENCE: u32 = 584
/** The leaf into which keys went in order lately, its stamp then, and whether it is its tree's last leaf. */
export const FINGER: u32 = 592
export const FINGER_STAMP: u32 = 596
export const FINGER_LAST: u32 = 600
/** How many keys in a row did not belong into that leaf. */
export const FINGER_MISSES: u32 = 648
/** Format and checksum of the image packed last. */
export const IMAGE_FORMAT: u32 = 572
export const IMAGE_CHECKSUM: u32 = 576

/** How well shortcuts have done lately for reads and for writes: two words each (shortcuts.ts). */
export const READ_SCORE: u32 = 604
export const WRITE_SCORE: u32 = 636
/** Hash of the key being put, 0: not computed. */
export const NEW_HASH: u32 = 644

/** Bytes of the log frame that is open, its header's place included, how many commits are in it, and the first's LSN. */
export const OPEN_BYTES: u32 = 612
export const OPEN_COMMITS: u32 = 616
export const OPEN_LSN_LOW: u32 = 620
export const OPEN_LSN_HIGH: u32 = 624
/** The commit being applied joins the open frame. */
export const FRAME_IS_JOINED: u32 = 628
/** Every operation being applied is a commit of its own. */
export const COMMITS_EACH: u32 = 632

/** How many leaves were found ahead for the next operations (ahead.ts), which is next, where these operations end. */
export const AHEAD_COUNT: u32 = 896
export const AHEAD_NEXT: u32 = 900
export const AHEAD_END: u32 = 904
export const AHEAD_SUM: u32 = 908
/** Where the key being put belongs in the leaf that was found ahead for it, as it was then. */
export const AHEAD_PLACE: u32 = 928

/** Filters of leaves (absence.ts): where their lines are, how long one is, which bits of an id name it, if any is used. */
export const ABSENCE_LINES: u32 = 932
export const ABSENCE_LINE_BYTES: u32 = 936
export const ABSENCE_MASK: u32 = 940
export const ABSENCE_USED: u32 = 944
export const ABSENCE_SCORE: u32 = 948

/** How many bytes staged puts have (staged.ts), and how many they are. */
export const STAGED_BYTES: u32 = 916
export const STAGED_COUNT: u32 = 920
/** The newest stamp when the first of them was staged. */
export const STAGED_STAMP: u32 = 924
