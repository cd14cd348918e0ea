// A square for every page of the database, coloured by what the page is doing.
import { type Client, type PageMap, pageFlags } from '../src/index.ts'
import { element, make, onEach, show } from './elements.ts'
import { bytes, integer } from './figures.ts'

type Mode = 'state' | 'heat' | 'size'

/** Steps of the ramp `--heat-0` to `--heat-6` in the style. */
const steps = 7
const sharesChangedLater = [0.75, 0.45, 0.2, 0.08, 0.02, 0.004]
/** The map is about so high, in CSS pixels. */
const wantedHeight = 220

const names = {
  dirty: 'changed, to be written',
  recent: 'cached, used lately',
  resident: 'cached',
  stored: 'only on the disk',
  large: 'piece of a large value'
} as const
type State = keyof typeof names

export class PageHeatMap {
  readonly #database: Client<string, unknown>
  readonly #canvas = element('page-map', HTMLCanvasElement)
  #map: PageMap | undefined
  /** Ids of the pages that are drawn, in order. */
  #ids: number[] = []
  #cell = 8
  #columns = 1
  #chosen = -1

  constructor(database: Client<string, unknown>) {
    this.#database = database
    for (const input of document.querySelectorAll('input[name="map-mode"]')) {
      input.addEventListener('change', () => this.draw())
    }
    this.#canvas.addEventListener('pointermove', event => this.#point(event))
    this.#canvas.addEventListener('keydown', event => this.#step(event))
    new ResizeObserver(() => this.draw()).observe(this.#canvas)
    const button = element('checkpoint', HTMLButtonElement)
    onEach(button, 'click', { statusId: 'map-page', button }, async () => {
      await database.checkpoint()
      await this.refresh()
    })
    button.disabled = false
  }

  async refresh(): Promise<void> {
    this.#map = await this.#database.pageMap()
    this.draw()
  }

  draw(): void {
    const map = this.#map
    if (map === undefined) return
    this.#ids = Array.from(map.flags.keys()).filter(id => ((map.flags[id] ?? 0) & pageFlags.used) !== 0)
    const width = this.#canvas.clientWidth
    this.#cell = Math.min(
      18,
      Math.max(3, Math.floor(Math.sqrt((width * wantedHeight) / Math.max(1, this.#ids.length))))
    )
    this.#columns = Math.max(1, Math.floor(width / this.#cell))
    const rows = Math.ceil(this.#ids.length / this.#columns)
    const scale = devicePixelRatio
    this.#canvas.style.height = `${Math.max(1, rows) * this.#cell}px`
    this.#canvas.width = width * scale
    this.#canvas.height = Math.max(1, rows) * this.#cell * scale
    const context = this.#canvas.getContext('2d')
    if (context === null) throw new Error('This browser draws nothing.')
    context.scale(scale, scale)
    const colour = this.#colours(map, currentMode())
    const gap = this.#cell > 5 ? 1 : 0.5
    for (const [i, id] of this.#ids.entries()) {
      context.fillStyle = colour(id)
      context.fillRect(...this.#corner(i), this.#cell - gap, this.#cell - gap)
    }
    if (this.#chosen >= 0 && this.#chosen < this.#ids.length) {
      const [x, y] = this.#corner(this.#chosen)
      context.strokeStyle = colourNamed('--ink')
      context.lineWidth = 2
      context.strokeRect(x, y, this.#cell - gap, this.#cell - gap)
    }
    this.#describe(map)
  }

  #corner(index: number): [number, number] {
    return [(index % this.#columns) * this.#cell, Math.floor(index / this.#columns) * this.#cell]
  }

  /** The colour of a page, and the legend that goes with it. */
  #colours(map: PageMap, mode: Mode): (id: number) => string {
    if (mode === 'state') {
      const counts = new Map<State, number>()
      for (const id of this.#ids) counts.set(stateOf(map, id), (counts.get(stateOf(map, id)) ?? 0) + 1)
      const states = Object.keys(names).filter(isState)
      const colours = new Map(states.map(state => [state, colourNamed(`--page-${state}`)]))
      legend(states.map(state => [`--page-${state}`, `${names[state]}: ${integer(counts.get(state) ?? 0)}`]))
      return id => colours.get(stateOf(map, id)) ?? ''
    }
    const ramp = Array.from({ length: steps }, (_, i) => colourNamed(`--heat-${i}`))
    const at = (step: number): string => ramp[Math.max(0, Math.min(steps - 1, step))] ?? ''
    if (mode === 'heat') {
      legend([
        ['--heat-6', 'changed last'],
        ['--heat-4', 'lately'],
        ['--heat-2', 'longer ago'],
        ['--heat-0', 'first']
      ])
      const limits = this.#limits(map)
      return id => at(limits.filter(limit => (map.changed[id] ?? 0) >= limit).length)
    }
    legend([
      ['--heat-6', `${bytes(map.pageBytes)}: does not compress`],
      ['--heat-3', `${bytes(map.pageBytes / 2)}`],
      ['--heat-0', 'nothing yet']
    ])
    return id => at(Math.ceil(((map.storedBytes[id] ?? 0) / map.pageBytes) * (steps - 1)))
  }

  /** Commits that part the pages into steps by how many were changed later. */
  #limits(map: PageMap): number[] {
    const changed = this.#ids.map(id => map.changed[id] ?? 0).sort((a, b) => b - a)
    return sharesChangedLater.map(share => changed[Math.floor(share * changed.length)] ?? 0)
  }

  #describe(map: PageMap): void {
    let cached = 0
    let stored = 0
    for (const id of this.#ids) {
      if (((map.flags[id] ?? 0) & pageFlags.resident) !== 0) cached++
      stored += map.storedBytes[id] ?? 0
    }
    const size = `${bytes(this.#ids.length * map.pageBytes)}, stored as ${bytes(stored)}`
    const label = `${integer(this.#ids.length)} pages of together ${size}; ${integer(cached)} are cached`
    this.#canvas.setAttribute('aria-label', label)
  }

  #point({ offsetX, offsetY }: PointerEvent): void {
    const column = Math.floor(offsetX / this.#cell)
    if (column < this.#columns) this.#choose(Math.floor(offsetY / this.#cell) * this.#columns + column)
  }

  #step(event: KeyboardEvent): void {
    const ways: Readonly<Record<string, number>> = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -this.#columns,
      ArrowDown: this.#columns
    }
    const way = ways[event.key]
    if (way === undefined) return
    event.preventDefault()
    this.#choose(Math.max(0, Math.min(this.#ids.length - 1, this.#chosen < 0 ? 0 : this.#chosen + way)))
  }

  #choose(index: number): void {
    const id = this.#ids[index]
    if (this.#map === undefined || id === undefined || index === this.#chosen) return
    this.#chosen = index
    this.draw()
    const stored = this.#map.storedBytes[id] ?? 0
    const disk = stored === 0 ? 'not on the disk yet' : `${bytes(stored)} on the disk`
    const changed = `changed by commit ${integer(this.#map.changed[id] ?? 0)}`
    show('map-page', `Page ${id}: ${names[stateOf(this.#map, id)]}; ${disk}; ${changed}.`)
  }
}

function stateOf({ flags }: PageMap, id: number): State {
  const flag = flags[id] ?? 0
  if ((flag & pageFlags.large) !== 0) return 'large'
  if ((flag & pageFlags.dirty) !== 0) return 'dirty'
  if ((flag & pageFlags.recent) !== 0) return 'recent'
  return (flag & pageFlags.resident) !== 0 ? 'resident' : 'stored'
}

function isState(name: string): name is State {
  return name in names
}

function currentMode(): Mode {
  const value = document.querySelector<HTMLInputElement>('input[name="map-mode"]:checked')?.value
  return value === 'heat' || value === 'size' ? value : 'state'
}

function colourNamed(property: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(property).trim()
}

function legend(lines: readonly (readonly [string, string])[]): void {
  element('map-legend', HTMLUListElement).replaceChildren(
    ...lines.map(([property, text]) => {
      const line = make('li', text)
      line.style.setProperty('--swatch', `var(${property})`)
      return line
    })
  )
}
