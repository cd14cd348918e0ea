// Keys by prefix or range, as rows that can be opened, and asked for again when the database has changed.
import type { RangeOptions } from '../src/index.ts'
import { type Atlas, cityKeyOf } from './cities.ts'
import { element, make, onEach, show } from './elements.ts'
import { integer } from './figures.ts'

const pageRows = 100
/** Counting more than this would take longer than typing. */
const countLimit = 200_000

export class KeyBrowser {
  readonly #atlas: Atlas
  readonly #open: (key: string) => void
  readonly #body = element('found-rows', HTMLTableSectionElement)
  readonly #more = element('more', HTMLButtonElement)
  #limit = pageRows
  /** Counts searches: the answer to an earlier one is not shown. */
  #search = 0
  #shown = new Map<string, string>()

  /** `open` is called with the key of a city that was chosen. */
  constructor(atlas: Atlas, open: (key: string) => void) {
    this.#atlas = atlas
    this.#open = open
    const form = element('search', HTMLFormElement)
    const again = () => {
      this.#limit = pageRows
      this.#shown.clear()
      return this.refresh()
    }
    onEach(form, 'input', { statusId: 'found' }, () => {
      this.#showInputs()
      return again()
    })
    onEach(form, 'submit', { statusId: 'found' }, again)
    onEach(this.#more, 'click', { statusId: 'found' }, () => {
      this.#limit += pageRows
      return this.refresh()
    })
    this.#showInputs()
  }

  /** Asks again and shows what is there now. Rows that differ from those shown before light up. */
  async refresh(): Promise<void> {
    const search = ++this.#search
    const { database, byPopulation } = this.#atlas
    const keyspace = text('keyspace') === 'cities' ? database : byPopulation
    const range = this.#range()
    const rows = keyspace.entries({ ...range, limit: this.#limit })
    const found: [string, unknown][] = []
    for await (const row of rows) found.push(row)
    const count = await keyspace.count({ ...range, limit: countLimit })
    if (search === this.#search) this.#show(found, count)
  }

  #show(found: readonly (readonly [string, unknown])[], count: number): void {
    this.#more.hidden = found.length >= count
    show('found', count === 0 ? 'No keys here.' : `${integer(count)} ${count === 1 ? 'key' : 'keys'}`)
    const before = this.#shown
    const after = new Map(found.map(([key, value]) => [key, JSON.stringify(value)]))
    // Rows that somebody points at or reads stay where they are while other keys change.
    if (isSame(before, after) && this.#body.rows.length === after.size) return
    this.#shown = after
    const focused = document.activeElement?.getAttribute('data-key')
    this.#body.replaceChildren(...found.map(([key]) => this.#row(key, before)))
    if (focused) this.#body.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus()
  }

  #row(key: string, before: ReadonlyMap<string, string>): HTMLTableRowElement {
    const value = this.#shown.get(key) ?? ''
    const row = make('tr')
    if (before.size > 0 && before.get(key) !== value) row.className = 'changed'
    const button = make('button', key, 'key')
    button.type = 'button'
    button.dataset.key = key
    button.addEventListener('click', () => this.#open(text('keyspace') === 'cities' ? key : cityKeyOf(key)))
    const cell = make('th')
    cell.scope = 'row'
    cell.append(button)
    row.append(cell, make('td', value))
    return row
  }

  #range(): RangeOptions<string> {
    const reverse = element('reverse', HTMLInputElement).checked
    if (text('search-mode') === 'prefix') return { prefix: text('prefix'), reverse }
    const from = text('from')
    const to = text('to')
    return { gte: from === '' ? undefined : from, lt: to === '' ? undefined : to, reverse }
  }

  #showInputs(): void {
    const mode = text('search-mode')
    for (const label of document.querySelectorAll<HTMLElement>('[data-mode]'))
      label.hidden = label.dataset.mode !== mode
    const isCities = text('keyspace') === 'cities'
    element('prefix', HTMLInputElement).placeholder = isCities ? 'IS/ for Iceland' : '1, then eight digits'
    element('from', HTMLInputElement).placeholder = isCities ? 'JP/Kyoto' : '10000000'
    element('to', HTMLInputElement).placeholder = isCities ? 'JP/Nagoya' : '20000000'
  }
}

function text(id: string): string {
  const field = document.getElementById(id)
  return field instanceof HTMLInputElement || field instanceof HTMLSelectElement ? field.value : ''
}

/** Whether both have the same pairs in the same order. */
function isSame(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  const others = [...b]
  return a.size === b.size && [...a].every(([key, value], i) => others[i]?.[0] === key && others[i]?.[1] === value)
}
