// Plain numbers about a running engine.
import {
  COUNT_COPIES, COUNT_EVICTIONS, COUNT_MERGES, COUNT_SHORTCUT_HITS, COUNT_SPLITS, FRAME_COUNT, FRAME_LIMIT, FRAMES_DIRTY,
  FRAMES_FREE, PAGES_USED, RECORDS_USED, SNAPSHOTS_OPEN
} from '../../assembly/state.ts'
import { blockBytes, sectorBytes } from '../store/format.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { Committer } from './committer.ts'
import type { Core } from './core.ts'

/** Sizes are in bytes, times in milliseconds, everything else counts; counts begin at open. */
export interface EngineStats {
  readonly sequence: number
  readonly durableSequence: number
  readonly pages: { readonly size: number; readonly used: number; readonly splits: number; readonly merges: number }
  readonly cache: {
    readonly bytes: number
    readonly limitBytes: number
    readonly dirtyPages: number
    readonly freePages: number
    readonly misses: number
    readonly evictions: number
    readonly shortcutHits: number
    readonly memoryBytes: number
  }
  readonly file: { readonly bytes: number; readonly usedBytes: number; readonly freeBytes: number; readonly pendingBytes: number }
  readonly log: {
    readonly liveBytes: number
    readonly fileBytes: number
    readonly writtenBytes: number
    readonly commits: number
    readonly syncs: number
  }
  readonly checkpoints: {
    readonly count: number
    readonly running: number
    readonly pages: number
    readonly lastDurationMs: number
    readonly imageBytes: number
  }
  readonly snapshots: {
    readonly open: number
    readonly oldestSequence: number
    readonly oldestAgeMs: number
    readonly versions: number
    readonly copies: number
  }
}

export function statsOf(core: Core, committer: Committer, checkpoint: Checkpoint): EngineStats {
  const { memory, data, log, meta, run, pager } = core
  let oldest: { readonly sequence: number; readonly openedMs: number } | undefined
  for (const snapshot of core.snapshots) if (oldest === undefined || snapshot.openedMs < oldest.openedMs) oldest = snapshot
  return {
    sequence: core.appliedLsn,
    durableSequence: core.durableLsn,
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
    snapshots: {
      open: memory.word(SNAPSHOTS_OPEN),
      oldestSequence: oldest?.sequence ?? 0,
      oldestAgeMs: oldest === undefined ? 0 : performance.now() - oldest.openedMs,
      versions: memory.word(RECORDS_USED),
      copies: memory.word(COUNT_COPIES)
    }
  }
}
