// Runs the microbenchmarks in a worker and shows their results as bars and as a table.
import { draw, element, make, show } from './elements.ts'
import { perSecond } from './figures.ts'
import type { BenchMessage, BenchResult } from './microbenchmark-worker.ts'

const rowHeight = 50
/** Room for the figure behind the longest bar. */
const labelWidth = 118
const barHeight = 13

export function runsMicrobenchmarks(): void {
  let results: readonly BenchResult[] = []
  new ResizeObserver(() => drawBars(results)).observe(element('bench-chart', SVGSVGElement))
  const button = element('bench-run', HTMLButtonElement)
  const progress = element('bench-progress', HTMLProgressElement)
  button.addEventListener('click', () => {
    button.disabled = true
    const worker = new Worker(new URL('./microbenchmark-worker.ts', import.meta.url), { type: 'module' })
    const end = (status: string): void => {
      worker.terminate()
      button.disabled = false
      show('bench-status', status)
    }
    worker.onerror = ({ message }) => end(message)
    worker.onmessage = ({ data }: MessageEvent<BenchMessage>) => {
      if (data.kind === 'failed') end(data.message)
      else if (data.kind === 'progress') {
        progress.value = data.done
        show('bench-status', `Measuring: ${data.text}`)
      } else {
        progress.value = 1
        results = data.results
        drawBars(results)
        fillTable(data.results)
        end('Done: the best of five rounds. While other programs are busy, even the ratios are rough.')
      }
    }
  })
}

/** Drawn in the page's own pixels, so that text is never smaller than elsewhere. */
function drawBars(results: readonly BenchResult[]): void {
  const chart = element('bench-chart', SVGSVGElement)
  const room = Math.max(0, chart.clientWidth - labelWidth)
  chart.style.height = `${results.length * rowHeight}px`
  chart.replaceChildren(
    ...results.flatMap(({ work, wasm, js }, row) => {
      const top = row * rowHeight
      const most = Math.max(wasm, js)
      const bar = (name: string, speed: number, y: number) => [
        draw('rect', {
          class: `bar-${name}`,
          x: 0,
          y,
          width: (speed / most) * room,
          height: barHeight,
          rx: 2
        }),
        draw('text', { class: 'tick', x: (speed / most) * room + 6, y: y + 11 }, `${label(name)} ${perSecond(speed)}`)
      ]
      return [
        draw('text', { class: 'work', x: 0, y: top + 11 }, work),
        ...bar('wasm', wasm, top + 16),
        ...bar('js', js, top + 30)
      ]
    })
  )
}

function label(build: string): string {
  return build === 'wasm' ? 'Wasm' : 'JS'
}

function fillTable(results: readonly BenchResult[]): void {
  element('bench-rows', HTMLTableSectionElement).replaceChildren(
    ...results.map(({ work, wasm, js }) => {
      const row = make('tr')
      const head = make('th', work)
      head.scope = 'row'
      row.append(
        head,
        make('td', perSecond(wasm)),
        make('td', perSecond(js)),
        make('td', `${(wasm / js).toFixed(1)} ×`)
      )
      return row
    })
  )
}
