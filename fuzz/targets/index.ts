// Everything that parses bytes, and how it is fuzzed.
import type { TargetEntry } from '../fuzzer/target.ts'
import { backupTarget } from './backup.ts'
import { databaseTarget, logTarget } from './database.ts'
import { frameTarget } from './frame.ts'
import { lockTarget } from './lock.ts'
import { lz4Target } from './lz4.ts'
import { metaTarget } from './meta.ts'
import { msgpackTarget } from './msgpack.ts'
import { pageTarget } from './page.ts'
import { protocolTarget } from './protocol.ts'
import { rotTarget } from './rot.ts'
import { tablesTarget } from './tables.ts'
import { tupleTarget } from './tuple.ts'

export const targets: readonly TargetEntry[] = [
  metaTarget,
  tablesTarget,
  pageTarget,
  frameTarget,
  logTarget,
  lz4Target,
  databaseTarget,
  rotTarget,
  backupTarget,
  tupleTarget,
  msgpackTarget,
  lockTarget,
  protocolTarget
]
