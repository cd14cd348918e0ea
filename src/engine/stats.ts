// Plain numbers about a running engine.
import {
  COUNT_COPIES,
  COUNT_EVICTIONS,
  COUNT_MERGES,
  COUNT_SHORTCUT_HITS,
  COUNT_SPLITS,
  FRAME_COUNT,
  FRAME_LIMIT,
  FRAMES_DIRTY,
  FRAMES_FREE,
  PAGES_USED,
  RECORDS_USED,
  SNAPSHOTS_OPEN
} from '../../assembly/state.ts'
import { blockBytes, sectorBytes } from '../store/format.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { Committer } from './committer.ts'
import type { Core } from './core.ts'
import type { HealthReport } from './health.ts'

/** Sizes are in bytes, times in milliseconds, everything else counts; counts begin at open. */
export interface EngineStats {
  /** Number of the newest commit. */
  readonly sequence: number
  /** Number of the newest commit that is on stable storage. */
  readonly durableSequence: number
  /** Whether writing works, and if not, since when and why. */
  readonly health: HealthReport
  /** Pages of the database, wherever they are. */
  readonly pages: {
    /** Bytes of a page. */
    readonly size: number
    /** Pages and segments of large values in use. */
    readonly used: number
    /** Pages cut in two. */
    readonly splits: number
    /** Pages joined with a sibling. */
    readonly merges: number
  }
  /** Pages in memory. */
  readonly cache: {
    /** Bytes of all frames there are. */
    readonly bytes: number
    /** Bytes of all frames there may be. */
    readonly limitBytes: number
    /** Frames that differ from what is on disk. */
    readonly dirtyPages: number
    /** Frames that hold nothing. */
    readonly freePages: number
    /** Pages read from disk. */
    readonly misses: number
    /** Pages that made room for others. */
    readonly evictions: number
    /** Reads that found their cell without walking down the tree. */
    readonly shortcutHits: number
    /** Bytes of the kernel's memory, frames included. */
    readonly memoryBytes: number
  }
  /** The data file. */
  readonly file: {
    /** Its size. */
    readonly bytes: number
    /** Bytes in use. */
    readonly usedBytes: number
    /** Bytes that can be used again. */
    readonly freeBytes: number
    /** Bytes that are free once the next checkpoint is durable. */
    readonly pendingBytes: number
  }
  /** The log. */
  readonly log: {
    /** Bytes that an opening would have to read. */
    readonly liveBytes: number
    /** Bytes of both files. */
    readonly fileBytes: number
    /** Bytes written. */
    readonly writtenBytes: number
    /** Commits made. */
    readonly commits: number
    /** Syncs made for them. */
    readonly syncs: number
  }
  /** Checkpoints. */
  readonly checkpoints: {
    /** Checkpoints made. */
    readonly count: number
    /** 1 while one is under way, else 0. */
    readonly running: number
    /** Pages written by them. */
    readonly pages: number
    /** How long the last one took. */
    readonly lastDurationMs: number
    /** Bytes of page images written, by checkpoints and to make room. */
    readonly imageBytes: number
  }
  /** How long syncs of the log took, which durable writes wait for; 0 before the first. */
  readonly latencies: {
    /** The last one. */
    readonly lastSyncMs: number
    /** All on average. */
    readonly meanSyncMs: number
    /** The longest. */
    readonly longestSyncMs: number
  }
  /** Snapshots, those of iterators and of checkpoints included. */
  readonly snapshots: {
    /** How many are open. */
    readonly open: number
    /** Number of the newest commit that the oldest one sees; 0 when there is none. */
    readonly oldestSequence: number
    /** How long the oldest one has been open. */
    readonly oldestAgeMs: number
    /** Older versions of pages that are kept. */
    readonly versions: number
    /** Pages copied because a snapshot still needed them. */
    readonly copies: number
  }
}

export function statsOf(core: Core, committer: Committer, checkpoint: Checkpoint): EngineStats {
  const { memory, data, log, meta, run, pager } = core
  const { oldest } = core.snapshots
  return {
    sequence: core.appliedLsn,
    durableSequence: core.durableLsn,
    health: core.health.report,
    pages: {
      size: meta.pageBytes,
      used: memory.word(PAGES_USED),
      splits: memory.word(COUNT_SPLITS),
      merges: memory.word(COUNT_MERGES)
    },
    cache: {
      bytes: memory.word(FRAME_COUNT) * meta.pageBytes,
      limitBytes: memory.word(FRAME_LIMIT) * meta.pageBytes,
      dirtyPages: memory.word(FRAMES_DIRTY),
      freePages: memory.word(FRAMES_FREE),
      misses: pager.counts.misses,
      evictions: memory.word(COUNT_EVICTIONS),
      shortcutHits: memory.word(COUNT_SHORTCUT_HITS),
      memoryBytes: memory.bytes.length
    },
    file: {
      bytes: data.file.size(),
      usedBytes: data.blocks.usedBlocks * blockBytes,
      freeBytes: data.blocks.freeBlocks * blockBytes,
      pendingBytes: core.pending.sectors * sectorBytes
    },
    log: {
      liveBytes: log.liveBytes,
      fileBytes: log.sizeBytes,
      writtenBytes: committer.counts.bytes,
      commits: committer.counts.commits,
      syncs: committer.counts.syncs
    },
    checkpoints: {
      count: checkpoint.counts.checkpoints,
      running: checkpoint.isRunning ? 1 : 0,
      pages: checkpoint.counts.pages,
      lastDurationMs: checkpoint.counts.lastDurationMs,
      imageBytes: run.written.bytes
    },
    latencies: {
      lastSyncMs: log.syncs.lastMs,
      meanSyncMs: log.syncs.totalMs / Math.max(1, log.syncs.count),
      longestSyncMs: log.syncs.longestMs
    },
    snapshots: {
      open: memory.word(SNAPSHOTS_OPEN),
      oldestSequence: oldest?.sequence ?? 0,
      oldestAgeMs: oldest === undefined ? 0 : performance.now() - oldest.openedMs,
      versions: memory.word(RECORDS_USED),
      copies: memory.word(COUNT_COPIES)
    }
  }
}
