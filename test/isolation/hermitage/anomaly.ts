// How the anomalies are told. The names are those of Adya's thesis and of Martin Kleppmann's Hermitage, whose scenes are
// played here in the words of a key-value store: two rows are two keys, a predicate is a range.
//
//   forbidden by        G0  G1a  G1b  G1c  OTV  PMP  P4  G-single  G2-item  G2
//   read-committed      x   x    x    x    x
//   snapshot            x   x    x    x    x    x    x   x
//   serializable        x   x    x    x    x    x    x   x         x        x
//
// A script returns whether the anomaly happened, judged by what was read and by what is stored in the end.
import { describe, expect, it } from 'vitest'
import { type Database, type Isolation, isLightningError, type Transaction } from '../../../src/index.ts'
import { openNew } from '../../support/database.ts'
import { here } from './where.ts'

/** What a level does with an anomaly. */
export type Verdict = 'forbids' | 'allows'

/** Where a script plays: two keys, `x` = 10 and `y` = 20, and transactions of the level in question. */
export interface Stage {
  readonly db: Database<string, unknown>
  begin(): Transaction<string, unknown>
  /** Commits; false when the transaction lost against another one. */
  commits(tx: Transaction<string, unknown>): Promise<boolean>
}

/** Plays the scripts of an anomaly at every level. */
export function anomaly(
  name: string,
  verdicts: Readonly<Record<Isolation, Verdict>>,
  scripts: Readonly<Record<string, (stage: Stage) => Promise<boolean>>>
): void {
  describe(name, () => {
    for (const isolation of ['serializable', 'snapshot', 'read-committed'] as const) {
      for (const [title, script] of Object.entries(scripts)) {
        it(`is what ${isolation} ${verdicts[isolation]}: ${title}`, async () => {
          const db = await openNew(here)
          await db.batch([
            { type: 'put', key: 'x', value: 10 },
            { type: 'put', key: 'y', value: 20 }
          ])
          let committed = 0
          const happened = await script({
            db,
            begin: () => db.begin({ isolation }),
            async commits(tx) {
              try {
                await tx.commit()
                committed++
                return true
              } catch (error) {
                if (isLightningError(error, 'LIGHTNING_CONFLICT')) return false
                throw error
              }
            }
          })
          expect(happened ? 'allows' : 'forbids').toBe(verdicts[isolation])
          // Who lets nobody commit forbids everything.
          expect(committed).toBeGreaterThan(0)
        })
      }
    }
  })
}

/** All that can be read now, key by key. */
export function state(reader: Pick<Transaction<string, unknown>, 'entries'>): Record<string, unknown> {
  return Object.fromEntries(reader.entries())
}
