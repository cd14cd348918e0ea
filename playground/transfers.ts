// People moving between cities in serializable transactions, one by one or very many at once.
import { type Atlas, type City, cityKeyOf, isCity, replace } from './cities.ts'
import type { CommitTimes } from './commit-times.ts'
import { element, onEach, show } from './elements.ts'
import { integer } from './figures.ts'

const cityCount = 10
const movesAtOnce = 100

export class Transfers {
  readonly #atlas: Atlas
  readonly #times: CommitTimes
  readonly #changed: () => void
  #largest: string[] = []
  #commits = 0
  #retries = 0

  constructor(atlas: Atlas, times: CommitTimes, changed: () => void) {
    this.#atlas = atlas
    this.#times = times
    this.#changed = changed
    const run = element('transfer-run', HTMLButtonElement)
    const contend = element('contend', HTMLButtonElement)
    const statusId = 'transfer-status'
    onEach(element('transfer', HTMLFormElement), 'submit', { statusId, button: run }, () => this.#moveOnce())
    onEach(contend, 'click', { statusId, button: contend }, () => this.#contend())
    run.disabled = false
    contend.disabled = false
  }

  /** The largest cities may be others now. */
  chooseAnew(): void {
    this.#largest = []
  }

  /** Takes the largest cities of now for the lists, and fills in two of them. */
  async offer(): Promise<void> {
    const keys: string[] = []
    for await (const key of this.#atlas.byPopulation.keys({ reverse: true, limit: cityCount }))
      keys.push(cityKeyOf(key))
    // The same ten as long as they are there: their sum is to stay what it is.
    const known = await this.#atlas.database.getMany(this.#largest)
    if (this.#largest.length < cityCount || !known.every(isCity)) this.#largest = keys
    element('large-cities', HTMLDataListElement).replaceChildren(...this.#largest.map(key => new Option(key, key)))
    fill('transfer-from', this.#largest[0])
    fill('transfer-to', this.#largest[1])
    await this.#showTotal()
  }

  async #moveOnce(): Promise<void> {
    const from = element('transfer-from', HTMLInputElement).value
    const to = element('transfer-to', HTMLInputElement).value
    const people = element('transfer-people', HTMLInputElement).valueAsNumber
    const [left, arrived] = await this.#times.of(() => this.#move(from, to, people))
    show(
      'transfer-status',
      `${left.name} has ${integer(left.population)} people now, ${arrived.name} ${integer(arrived.population)}.`
    )
    await this.#after()
  }

  async #contend(): Promise<void> {
    const cities = this.#largest
    if (cities.length < cityCount) throw new Error('Load the cities first.')
    show('transfer-status', `${movesAtOnce} moves among ten cities…`)
    const retriesBefore = this.#retries
    const beganMs = performance.now()
    const moves = Array.from({ length: movesAtOnce }, (_, i) => {
      const from = i % cityCount
      const to = (from + 1 + (i % (cityCount - 1))) % cityCount
      return this.#move(cities[from] ?? '', cities[to] ?? '', 1 + (i % 50))
    })
    await Promise.all(moves)
    const seconds = ((performance.now() - beganMs) / 1_000).toFixed(2)
    const retries = integer(this.#retries - retriesBefore)
    show(
      'transfer-status',
      `${movesAtOnce} moves among ten cities in ${seconds} s; bodies were run again ${retries} times.`
    )
    await this.#after()
  }

  /** Both cities as they are afterwards. */
  async #move(from: string, to: string, people: number): Promise<readonly [City, City]> {
    if (from === to) throw new Error('Choose two different cities.')
    const locks = element('transfer-locks', HTMLInputElement).checked
    const moved = await this.#atlas.database.transaction(
      async tx => {
        if (tx.attempt > 1) show('transfer-retries', integer(++this.#retries))
        if (locks) for (const key of [from, to].toSorted()) await tx.getForUpdate(key)
        const [source, target] = await tx.getMany([from, to])
        if (!isCity(source)) throw new Error(`There is no city ${from}.`)
        if (!isCity(target)) throw new Error(`There is no city ${to}.`)
        if (source.population < people) throw new Error(`${source.name} has only ${source.population} people.`)
        const left = { ...source, population: source.population - people }
        const arrived = { ...target, population: target.population + people }
        await replace(this.#atlas, tx, from, { before: source, after: left })
        await replace(this.#atlas, tx, to, { before: target, after: arrived })
        return [left, arrived] as const
      },
      { retries: 1_000, isolation: 'serializable' }
    )
    show('transfer-commits', integer(++this.#commits))
    return moved
  }

  async #after(): Promise<void> {
    await this.#showTotal()
    this.#changed()
  }

  async #showTotal(): Promise<void> {
    const cities = await this.#atlas.database.getMany(this.#largest)
    const total = cities.reduce<number>((sum, city) => sum + (isCity(city) ? city.population : 0), 0)
    show('transfer-total', total === 0 ? '–' : integer(total))
  }
}

function fill(id: string, value: string | undefined): void {
  const field = element(id, HTMLInputElement)
  if (field.value === '' && value !== undefined) field.value = value
}
