// What the compiler knows about keys and values; `tsc` checks it with all tests.
import { describe, expectTypeOf, it } from 'vitest'
import {
  type Client,
  type ClientIterator,
  type ClientReads,
  type ClientSnapshot,
  type ClientSublevel,
  connect,
  type Database,
  type KeyRange,
  open,
  type RangeIterator,
  type ReadOptions,
  type Reads,
  type RepairReport,
  repair,
  type Snapshot,
  type Sublevel,
  type Transaction,
  type TupleKey
} from '../../src/index.ts'

interface User {
  readonly name: string
}

/** `any`, as programs have it that do without types. */
type Untyped = ReturnType<typeof JSON.parse>

const userCodec = {
  encode: (user: User): Uint8Array => new TextEncoder().encode(user.name),
  decode: (bytes: Uint8Array): User => ({ name: new TextDecoder().decode(bytes) })
}
const textCodec = {
  format: 'utf8' as const,
  encode: (n: number): string => String(n),
  decode: (s: string) => Number(s)
}

/** Never called: the types are what is looked at. */
async function inferred() {
  return {
    plain: await open('x'),
    none: await open('x', {}),
    relaxed: await open('x', { durability: 'relaxed', cacheBytes: 5 }),
    bytes: await open('x', { keyEncoding: 'view', valueEncoding: 'buffer' }),
    tuple: await open('x', { keyEncoding: 'tuple', valueEncoding: 'utf8' }),
    json: await open('x', { valueEncoding: 'json' }),
    codecs: await open('x', { keyEncoding: textCodec, valueEncoding: userCodec }),
    inline: await open('x', {
      valueEncoding: { encode: (d: Date) => Uint8Array.of(+d), decode: (b: Uint8Array) => new Date(b.length) }
    }),
    given: await open<string, User>('x'),
    givenWithOptions: await open<TupleKey, User>('x', { keyEncoding: 'tuple', valueCache: 5 }),
    untyped: await open<Untyped, Untyped>('x'),
    untypedWithOptions: await open<Untyped, Untyped>('x', { keyEncoding: 'tuple' }),
    untold: await open('x', JSON.parse('{}'))
  }
}
type Opened = Awaited<ReturnType<typeof inferred>>

/** Calls on a database, so that their results have types. Never called either. */
function calls(db: Database<string, User>, bytes: Database<Uint8Array, Uint8Array>) {
  return {
    get: db.get('a'),
    getMany: db.getMany(['a']),
    getText: db.get('a', { valueEncoding: 'utf8' }),
    getTuple: db.get(['a', 1], { keyEncoding: 'tuple' }),
    getCodec: db.get(5, { keyEncoding: textCodec, valueEncoding: userCodec }),
    getAt: db.get('a', { snapshot: db.snapshot() }),
    read: db.read('a', view => view.length),
    entries: db.entries({ gt: 'a', limit: 5 }),
    tuples: db.keys({ prefix: ['a'], keyEncoding: 'tuple' }),
    views: db.values({ valueEncoding: 'view' }),
    snapshot: db.snapshot().get('a'),
    sublevel: db.sublevel('s'),
    typed: db.sublevel<TupleKey, number>('s', { keyEncoding: 'tuple' }),
    untyped: db.sublevel<Untyped, Untyped>('s'),
    encoded: db.sublevel('s', { keyEncoding: 'view', valueEncoding: userCodec }),
    nested: db.sublevel('s', { keyEncoding: 'view', valueEncoding: 'json' }).sublevel('n'),
    below: db.snapshot().sublevel(db.sublevel('s', { keyEncoding: 'tuple' })),
    put: bytes.put(new Uint8Array(1), new Uint8Array(1))
  }
}
type Called = ReturnType<typeof calls>

/** The same of a client. */
async function connected(db: Client<string, User>, tuples: ClientSublevel<TupleKey, number>) {
  return {
    plain: await connect('x'),
    encoded: await connect('x', { keyEncoding: 'tuple', valueEncoding: userCodec, ownerTimeoutMs: 5 }),
    given: await connect<string, User>('x', { valueCache: 5 }),
    untyped: await connect<Untyped, Untyped>('x'),
    untold: await connect('x', JSON.parse('{}')),
    untypedSublevel: db.sublevel<Untyped, Untyped>('s'),
    get: await db.get('a'),
    getText: await db.get('a', { valueEncoding: 'utf8' }),
    entries: db.entries({ gt: 'a', signal: new AbortController().signal }),
    below: await (await db.snapshot()).sublevel(tuples).get(['a', 1]),
    transaction: await db.transaction(async tx => [await tx.get('a'), await tx.sublevel(tuples).get(5)] as const),
    sublevel: db.sublevel('s', { keyEncoding: 'view' }).sublevel('n')
  }
}
type Connected = Awaited<ReturnType<typeof connected>>

describe('the types of keys and values', () => {
  it('are inferred from the encodings, or given', () => {
    expectTypeOf<Opened['plain']>().toEqualTypeOf<Database<string, unknown>>()
    expectTypeOf<Opened['none']>().toEqualTypeOf<Database<string, unknown>>()
    expectTypeOf<Opened['relaxed']>().toEqualTypeOf<Database<string, unknown>>()
    expectTypeOf<Opened['bytes']>().toEqualTypeOf<Database<Uint8Array, Buffer>>()
    expectTypeOf<Opened['tuple']>().toEqualTypeOf<Database<TupleKey, string>>()
    expectTypeOf<Opened['json']>().toEqualTypeOf<Database<string, unknown>>()
    expectTypeOf<Opened['codecs']>().toEqualTypeOf<Database<number, User>>()
    expectTypeOf<Opened['inline']>().toEqualTypeOf<Database<string, Date>>()
    expectTypeOf<Opened['given']>().toEqualTypeOf<Database<string, User>>()
    expectTypeOf<Opened['givenWithOptions']>().toEqualTypeOf<Database<TupleKey, User>>()
    expectTypeOf<Opened['untyped']>().toEqualTypeOf<Database<Untyped, Untyped>>()
    expectTypeOf<Opened['untypedWithOptions']>().toEqualTypeOf<Database<Untyped, Untyped>>()
    expectTypeOf<Opened['untold']>().toEqualTypeOf<Database<string, unknown>>()
  })

  it('follow the encodings of a call', () => {
    expectTypeOf<Called['get']>().toEqualTypeOf<User | undefined>()
    expectTypeOf<Called['getMany']>().toEqualTypeOf<(User | undefined)[]>()
    expectTypeOf<Called['getText']>().toEqualTypeOf<string | undefined>()
    expectTypeOf<Called['getTuple']>().toEqualTypeOf<User | undefined>()
    expectTypeOf<Called['getCodec']>().toEqualTypeOf<User | undefined>()
    expectTypeOf<Called['getAt']>().toEqualTypeOf<User | undefined>()
    expectTypeOf<Called['read']>().toEqualTypeOf<number | undefined>()
    expectTypeOf<Called['entries']>().toEqualTypeOf<RangeIterator<[string, User]>>()
    expectTypeOf<Called['tuples']>().toEqualTypeOf<RangeIterator<TupleKey>>()
    expectTypeOf<Called['views']>().toEqualTypeOf<RangeIterator<Uint8Array>>()
    expectTypeOf<Called['snapshot']>().toEqualTypeOf<User | undefined>()
    expectTypeOf<Called['put']>().toEqualTypeOf<Promise<void>>()
  })

  it('of a sublevel are those of the database, inferred, or given', () => {
    expectTypeOf<Called['sublevel']>().toEqualTypeOf<Sublevel<string, User, string, User>>()
    expectTypeOf<Called['typed']>().toEqualTypeOf<Sublevel<TupleKey, number, string, User>>()
    expectTypeOf<Called['untyped']>().toEqualTypeOf<Sublevel<Untyped, Untyped, string, User>>()
    expectTypeOf<Called['encoded']>().toEqualTypeOf<Sublevel<Uint8Array, User, string, User>>()
    expectTypeOf<Called['nested']>().toEqualTypeOf<Sublevel<string, User, string, User>>()
    expectTypeOf<Called['below']>().toEqualTypeOf<Reads<TupleKey, User, never>>()
  })

  it('are those of a client too, as promises', () => {
    expectTypeOf<Connected['plain']>().toEqualTypeOf<Client<string, unknown>>()
    expectTypeOf<Connected['encoded']>().toEqualTypeOf<Client<TupleKey, User>>()
    expectTypeOf<Connected['given']>().toEqualTypeOf<Client<string, User>>()
    expectTypeOf<Connected['untyped']>().toEqualTypeOf<Client<Untyped, Untyped>>()
    expectTypeOf<Connected['untold']>().toEqualTypeOf<Client<string, unknown>>()
    expectTypeOf<Connected['untypedSublevel']>().toEqualTypeOf<ClientSublevel<Untyped, Untyped, string, User>>()
    expectTypeOf<Connected['get']>().toEqualTypeOf<User | undefined>()
    expectTypeOf<Connected['getText']>().toEqualTypeOf<string | undefined>()
    expectTypeOf<Connected['entries']>().toEqualTypeOf<ClientIterator<[string, User]>>()
    expectTypeOf<Connected['below']>().toEqualTypeOf<number | undefined>()
    expectTypeOf<Connected['transaction']>().toEqualTypeOf<readonly [User | undefined, number | undefined]>()
    expectTypeOf<Connected['sublevel']>().toEqualTypeOf<ClientSublevel<string, User, string, User>>()
  })

  it('make mistakes errors', () => {
    const mistakes = (db: Database<string, User>, numbers: Sublevel<number, number>): void => {
      // @ts-expect-error a key of another type
      db.get(5)
      // @ts-expect-error a value of another type
      void db.put('a', 'text')
      // @ts-expect-error an unknown option
      db.keys({ gtt: 'a' })
      // @ts-expect-error a bound of another type
      db.keys({ gt: 5 })
      // @ts-expect-error no such encoding for keys
      db.get('a', { keyEncoding: 'json' })
      // @ts-expect-error an operation without a value
      void db.batch([{ type: 'put', key: 'a' }])
      // @ts-expect-error a value of another type in a batch
      void db.batch([{ type: 'put', key: 'a', value: 1 }])
      // @ts-expect-error a key of another type than the encoding of the call
      db.get('a', { keyEncoding: 'view' })
      // @ts-expect-error an event that there is not
      db.on('close', () => undefined)
      // @ts-expect-error only the iterators of clients can be aborted
      db.keys({ signal: new AbortController().signal })
      // @ts-expect-error a snapshot is no option of writes
      void db.clear({ snapshot: db.snapshot() })
      const snapshot = db.snapshot()
      const options: ReadOptions<'utf8', undefined> = { snapshot }
      const tx = db.begin()
      for (const own of [snapshot, snapshot.sublevel(numbers), tx, tx.sublevel(numbers)]) {
        // @ts-expect-error a snapshot has its own state, and so has a transaction
        own.count({ snapshot })
        // @ts-expect-error however the options came about
        own.count(options)
      }
      // @ts-expect-error a snapshot takes no other
      snapshot.get('a', { snapshot })
      // @ts-expect-error nor does a transaction
      tx.entries({ snapshot })
      // @ts-expect-error an option of transaction, not of begin
      db.begin({ retries: 5 })
      // @ts-expect-error a key that the database has, not the sublevel
      numbers.get('a')
      void db.batch([
        { type: 'put', key: 'a', value: { name: 'x' } },
        { type: 'put', key: 1, value: 1, sublevel: numbers },
        { type: 'del', key: new Uint8Array(1), keyEncoding: 'view' }
      ])
      db.on('checkpoint', ({ pages }) => pages.toFixed())
    }
    expectTypeOf(mistakes).parameters.toEqualTypeOf<[Database<string, User>, Sublevel<number, number>]>()
    const mistakesOfClients = async (db: Client<string, User>): Promise<void> => {
      const [snapshot, tx] = [await db.snapshot(), await db.begin()]
      // @ts-expect-error a snapshot takes no other
      void snapshot.get('a', { snapshot })
      // @ts-expect-error nor do its iterators
      snapshot.keys({ snapshot })
      // @ts-expect-error nor does a transaction
      void tx.has('a', { snapshot })
      void db.get('a', { snapshot })
    }
    expectTypeOf(mistakesOfClients).parameters.toEqualTypeOf<[Client<string, User>]>()
  })

  it('tell what a repair has done', () => {
    expectTypeOf(repair).returns.resolves.toEqualTypeOf<RepairReport>()
    expectTypeOf<RepairReport['lost'][number]['keyRange']>().toEqualTypeOf<KeyRange | undefined>()
    const mistakes = (): void => {
      // @ts-expect-error an unknown option
      void repair('x', { progress: () => undefined })
      // @ts-expect-error no location
      void repair()
      void repair('x', { onProgress: ({ done, total }) => void (done / total), cacheBytes: 5 })
    }
    expectTypeOf(mistakes).returns.toEqualTypeOf<void>()
  })

  it('fit where less is asked for', () => {
    expectTypeOf<Database<string, User>>().toExtend<Reads<string, unknown>>()
    expectTypeOf<Sublevel<string, User>>().toExtend<Reads<string, User>>()
    expectTypeOf<Snapshot<string, User>>().toExtend<Reads<string, User>>()
    expectTypeOf<Transaction<string, User>>().toExtend<Omit<Reads<string, User>, 'read'>>()
    expectTypeOf<ClientSnapshot<string, User>>().toExtend<ClientReads<string, User>>()
    expectTypeOf<Called['encoded']>().toExtend<Sublevel<Uint8Array, User>>()
  })
})
