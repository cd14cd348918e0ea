// The sample data: a city's key, its place in the index, and the one way in which both are changed.
import type { Client, ClientSublevel, ClientTransaction } from '../src/index.ts'

/** What the loader stores; edited values may be anything. */
export interface City {
  readonly name: string
  readonly country: string
  readonly population: number
  readonly latitude: number
  readonly longitude: number
}

/** The database itself has the cities: `COUNTRY/name/number`. */
export interface Atlas {
  readonly database: Client<string, unknown>
  /** Population in eight digits, `/`, key of the city → name: in order of size. */
  readonly byPopulation: ClientSublevel<string, string>
  /** What "Write steadily" writes. */
  readonly pulse: ClientSublevel<string, number>
}

/** Cities of one batch of the loader. */
export const batchSize = 2_000

export function sizeKey(key: string, population: number): string {
  return `${String(population).padStart(8, '0')}/${key}`
}

/** The city that an entry of the index is about. */
export function cityKeyOf(sizeKey: string): string {
  return sizeKey.slice(9)
}

/** One line of the data: key's number, name, country, population, latitude, longitude. */
export function parseLine(line: string): { readonly key: string; readonly city: City } {
  const [id = '', name = '', country = '', population = '', latitude = '', longitude = ''] = line.split('\t')
  return {
    key: `${country}/${name}/${id}`,
    city: { name, country, population: Number(population), latitude: Number(latitude), longitude: Number(longitude) }
  }
}

export function isCity(value: unknown): value is City {
  if (typeof value !== 'object' || value === null) return false
  return 'name' in value && typeof value.name === 'string' && 'population' in value && isCount(value.population)
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 1e8
}

/**
 * Puts a value under a key, or removes it when it is undefined, and keeps the index right. `before` is what the transaction
 * has read there.
 */
export async function replace(
  atlas: Atlas,
  tx: ClientTransaction<string, unknown>,
  key: string,
  { before, after }: { readonly before: unknown; readonly after: unknown }
): Promise<void> {
  const sizes = tx.sublevel(atlas.byPopulation)
  // All are sent at once: calls take effect in their order.
  await Promise.all([
    isCity(before) ? sizes.del(sizeKey(key, before.population)) : undefined,
    after === undefined ? tx.del(key) : tx.put(key, after),
    isCity(after) ? sizes.put(sizeKey(key, after.population), after.name) : undefined
  ])
}
