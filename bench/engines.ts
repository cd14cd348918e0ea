import { betterSqlite3 } from './drivers/better-sqlite3.ts'
import { classicLevel } from './drivers/classic-level.ts'
import type { Engine } from './drivers/driver.ts'
import { lightning, lightningJavaScript } from './drivers/lightning.ts'
import { lmdb } from './drivers/lmdb.ts'

/** Every engine by its name on the command line. A driver loads its package only when it opens a database. */
export const engines = {
  lightning,
  'lightning-js': lightningJavaScript,
  lmdb,
  'classic-level': classicLevel,
  'better-sqlite3': betterSqlite3
} as const satisfies Record<string, Engine>

export type EngineName = keyof typeof engines

export function isEngineName(name: string): name is EngineName {
  return Object.hasOwn(engines, name)
}
