// The writes of a step: what to do with a database, and what it must have done to a map.
import { strictEqual } from 'node:assert/strict'
import type { Database } from '../../src/index.ts'
import { type Content, someText } from '../../test/engine/content.ts'
import { Random } from '../../test/support/random.ts'

/** One commit. */
export interface Write {
  /** Makes it in a model, whose keys are `sublevel/key`. */
  apply(model: Map<string, string>): void
  /** Makes it in the database; applied when this returns, unless the write is a transaction. */
  issue(db: Database<string, string>): Promise<void>
}

export type WriteKind = 'put' | 'delete' | 'batch' | 'transaction' | 'clear' | 'large value'

const sublevels = ['', '', '', 'one', 'two'] as const

/** Chooses a key. */
type SomeKey = (random: Random) => string

/** The writes of a step, to be issued one after the other without waiting. `model` is what they start from. */
export function writesOf(kind: WriteKind, seed: number, model: Content, hasLongKeys = false): Write[] {
  const random = new Random(seed)
  const someKey = hasLongKeys ? longKey : shortKey
  switch (kind) {
    case 'put':
      return Array.from({ length: random.pick([1, 1, 2, 5]) }, () => put(random, someKey, 10 + random.below(900)))
    case 'large value':
      return [put(random, someKey, random.pick([20_000, 70_000, 330_000]) + random.below(10_000))]
    case 'delete':
      return Array.from({ length: random.pick([1, 1, 3]) }, () => remove(random, someKey, model))
    case 'batch':
      return [
        random.chance(0.04) ? batch(random, someKey, 900, 900) : batch(random, someKey, 2 + random.below(20), 300)
      ]
    case 'clear':
      return [random.pick([clearRange, clearRange, clearAll, drop])(random, someKey)]
    case 'transaction':
      return [random.chance(0.3) ? synchronousTransaction(random, someKey) : transaction(random, someKey, model)]
  }
}

function shortKey(random: Random): string {
  return `key ${random.below(40).toString().padStart(3, '0')}`
}

/** Neighbours begin with hundreds of equal bytes, so what separates pages is long, too. */
function longKey(random: Random): string {
  const digits = random.below(256).toString(4).padStart(4, '0')
  return [...digits].map(digit => digit.repeat(254)).join('')
}

function keyspaceOf(db: Database<string, string>, sublevel: string) {
  return sublevel === '' ? db : db.sublevel<string, string>(sublevel, { valueEncoding: 'utf8' })
}

function put(random: Random, someKey: SomeKey, length: number): Write {
  const sublevel = random.pick(sublevels)
  const key = someKey(random)
  const value = someText(random, length)
  const waits = random.chance(0.7)
  return {
    apply: model => void model.set(`${sublevel}/${key}`, value),
    async issue(db) {
      const keyspace = keyspaceOf(db, sublevel)
      if (waits) await keyspace.put(key, value)
      else keyspace.putSync(key, value)
    }
  }
}

function remove(random: Random, someKey: SomeKey, model: Content): Write {
  const present = [...model.keys()].filter(path => path.startsWith('/')).map(path => path.slice(1))
  const key = (random.chance(0.8) ? present[random.below(present.length)] : undefined) ?? someKey(random)
  const waits = random.chance(0.7)
  return {
    apply: later => void later.delete(`/${key}`),
    async issue(db) {
      if (waits) await db.del(key)
      else db.delSync(key)
    }
  }
}

interface Change {
  readonly sublevel: string
  readonly key: string
  readonly value: string | undefined
}

function applyAll(changes: readonly Change[], model: Map<string, string>): void {
  for (const { sublevel, key, value } of changes) {
    if (value === undefined) model.delete(`${sublevel}/${key}`)
    else model.set(`${sublevel}/${key}`, value)
  }
}

function changesOf(random: Random, someKey: SomeKey, count: number, most: number): Change[] {
  return Array.from({ length: count }, (_, i) => ({
    sublevel: random.pick(sublevels),
    key: count > 100 ? `${someKey(random)}-${i % 400}` : someKey(random),
    value: random.chance(0.2) ? undefined : someText(random, 1 + random.below(most))
  }))
}

function batch(random: Random, someKey: SomeKey, count: number, most: number): Write {
  const changes = changesOf(random, someKey, count, most)
  return {
    apply: model => applyAll(changes, model),
    async issue(db) {
      await db.batch(
        changes.map(({ sublevel, key, value }) => {
          const place =
            sublevel === '' ? {} : { sublevel: db.sublevel<string, string>(sublevel, { valueEncoding: 'utf8' }) }
          return value === undefined ? { type: 'del', key, ...place } : { type: 'put', key, value, ...place }
        })
      )
    }
  }
}

function clearRange(random: Random, someKey: SomeKey): Write {
  const [gte = '', lt = ''] = [someKey(random), someKey(random)].sort()
  return {
    apply(model) {
      for (const path of [...model.keys()]) if (path >= `/${gte}` && path < `/${lt}`) model.delete(path)
    },
    issue: db => db.clear({ gte, lt })
  }
}

function clearAll(): Write {
  return {
    apply(model) {
      for (const path of [...model.keys()]) if (path.startsWith('/')) model.delete(path)
    },
    issue: db => db.clear()
  }
}

function drop(random: Random): Write {
  const sublevel = random.pick(['one', 'two'])
  return {
    apply(model) {
      for (const path of [...model.keys()]) if (path.startsWith(`${sublevel}/`)) model.delete(path)
    },
    issue: db => db.dropSublevel(sublevel)
  }
}

/** A transaction that reads, writes and undoes some of it; sometimes another one conflicts with it and loses. */
function transaction(random: Random, someKey: SomeKey, model: Content): Write {
  const [read, taken] = [someKey(random), someKey(random)]
  const changes = changesOf(random, someKey, 1 + random.below(6), 2_000)
  const clears = random.chance(0.2)
  const takesBack = random.chance(0.3)
  // Deleting what is not there changes nothing, so nobody loses by it.
  const last = changes.findLast(({ sublevel }) => sublevel === '')
  const contended = random.chance(0.3) && last?.value !== undefined ? last.key : undefined
  return {
    apply(later) {
      if (clears) for (const path of [...later.keys()]) if (path.startsWith('two/')) later.delete(path)
      applyAll(changes, later)
    },
    async issue(db) {
      const committed = db.transaction(async tx => {
        strictEqual(tx.get(read), model.get(`/${read}`))
        if (clears) tx.sublevel(db.sublevel<string, string>('two', { valueEncoding: 'utf8' })).clear()
        for (const { sublevel, key, value } of changes) {
          const keyspace =
            sublevel === '' ? tx : tx.sublevel(db.sublevel<string, string>(sublevel, { valueEncoding: 'utf8' }))
          if (value === undefined) keyspace.del(key)
          else keyspace.put(key, value)
        }
        if (!takesBack) return
        const savepoint = tx.savepoint()
        tx.put(taken, 'never')
        await tx.getForUpdate(taken)
        tx.rollbackTo(savepoint)
      })
      const lost = contended === undefined ? undefined : loseTo(committed, contended, db).catch(() => undefined)
      await committed
      await lost
    }
  }
}

/** Writes a key that another transaction is writing, and loses as soon as that is applied: the pool syncs that then. */
async function loseTo(other: Promise<void>, key: string, db: Database<string, string>): Promise<void> {
  let isOver = false
  const end = () => {
    isOver = true
  }
  other.then(end, end)
  const rival = db.begin()
  rival.put(key, 'never')
  const before = db.sequence()
  for (let turns = 0; turns < 1_000 && !isOver && db.sequence() === before; turns++) await undefined
  if (isOver || db.sequence() === before) rival.rollback()
  else await rival.commit()
}

function synchronousTransaction(random: Random, someKey: SomeKey): Write {
  const changes = changesOf(random, someKey, 1 + random.below(6), 2_000).map(change => ({ ...change, sublevel: '' }))
  return {
    apply: model => applyAll(changes, model),
    async issue(db) {
      db.transactionSync(tx => {
        for (const { key, value } of changes) {
          if (value === undefined) tx.del(key)
          else tx.put(key, value)
        }
      })
    }
  }
}
