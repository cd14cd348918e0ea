// What the example does with a healthy database: loads, reads, counts people anew.
import { type Atlas, type City, cityKey, puts, resizes } from './atlas.ts'
import { chapter, clocked, count, duration, item, line, rate, size } from './report.ts'

const citiesPerBatch = 1000
const reads = 100_000

/** Writes all cities, each with its two index entries in the same atomic batch. */
export async function load(atlas: Atlas, cities: readonly City[]): Promise<void> {
  chapter('Loading')
  const { ms } = await clocked(async () => {
    const pending: Promise<void>[] = []
    for (let from = 0; from < cities.length; from += citiesPerBatch) {
      const batch = cities.slice(from, from + citiesPerBatch).flatMap(city => puts(atlas, city))
      pending.push(atlas.database.batch(batch))
    }
    await Promise.all(pending)
  })
  line(`${count(cities.length)} cities, two indexes`, duration(ms), rate(cities.length * 3, ms, 'durable entries'))
  const folding = await clocked(() => atlas.database.checkpoint())
  const { file, pages } = atlas.database.stats()
  line('folded into the data file', duration(folding.ms), `${size(file.usedBytes)} in ${count(pages.used)} pages`)
}

/** Reads single cities and ranges back, and holds each answer against what was loaded. */
export async function read(atlas: Atlas, cities: readonly City[]): Promise<void> {
  chapter('Reading')
  await readByKey(atlas, cities)
  const largest = await clocked(() => [...atlas.bySize.entries({ prefix: ['JP'], limit: 4 })])
  line('the largest cities of Japan', duration(largest.ms))
  for (const [[, negative], name] of largest.result) item(`${name}, ${count(-Number(negative))}`)
  const near = await clocked(() => nearestNames(atlas, 'Lightning'))
  line('names around “Lightning”', duration(near.ms))
  item(near.result.join(' · '))
  const byCountry = await clocked(() => atlas.database.count({ prefix: ['FR'] }))
  expect(byCountry.result === cities.filter(({ country }) => country === 'FR').length, 'France has all its cities')
  line('cities of France, counted', count(byCountry.result), duration(byCountry.ms))
  const everything = await clocked(() => {
    let people = 0
    for (const city of atlas.database.values()) people += city.population
    return people
  })
  expect(everything.result === population(cities), 'everybody is there')
  line('people in all cities', count(everything.result), `${duration(everything.ms)} to read them all`)
}

async function readByKey({ database }: Atlas, cities: readonly City[]): Promise<void> {
  const step = 7919
  const { ms } = await clocked(() => {
    for (let i = 0; i < reads; i++) {
      const city = cities[(i * step) % cities.length]
      const found = city && database.get(cityKey(city))
      expect(found?.population === city?.population, `${city?.name} is as it was written`)
    }
  })
  line(`${count(reads)} cities by key, at random`, duration(ms), rate(reads, ms, 'gets'))
}

/** The three names before and the three from this one on, all countries together. */
function nearestNames({ byName }: Atlas, name: string): string[] {
  const show = ([[text], country]: [readonly (string | number)[], string]) => `${text} (${country})`
  const before = [...byName.entries({ lt: [name], reverse: true, limit: 3 })].reverse()
  return [...before.map(show), ...[...byName.entries({ gte: [name], limit: 3 })].map(show)]
}

/** A census: India grows by one percent, city by city, while a snapshot still shows it as it was. */
export async function update(atlas: Atlas): Promise<void> {
  chapter('Updating')
  const { database } = atlas
  const india = { prefix: ['IN'] }
  const before = database.snapshot()
  const cities = [...database.values(india)]
  const { ms } = await clocked(async () => {
    for (let from = 0; from < cities.length; from += citiesPerBatch) {
      const changes = cities
        .slice(from, from + citiesPerBatch)
        .flatMap(city => resizes(atlas, city, Math.ceil(city.population * 1.01)))
      await database.batch(changes)
    }
  })
  const old = population(before.values(india))
  const grown = population(database.values(india))
  expect(old === population(cities), 'the snapshot shows what was')
  expect(grown > old, 'the cities have grown')
  expect(before.sublevel(atlas.bySize).count(india) === atlas.bySize.count(india), 'no index entry is left over')
  before.close()
  line(`${count(cities.length)} cities of India grow`, duration(ms), rate(cities.length * 3, ms, 'durable changes'))
  line(
    'people there, before and after',
    `${count(old)} → ${count(grown)}`,
    'both read at once, the first by a snapshot'
  )
}

/** Throws when something is not as it must be. */
export function expect(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(`not true: ${what}`)
}

function population(cities: Iterable<City>): number {
  let people = 0
  for (const city of cities) people += city.population
  return people
}
