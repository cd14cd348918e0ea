// Lines on the way, and a table at the end.
import type { Finding } from './verdict.ts'
import type { Latency, Sample } from './sample.ts'

const headings = [
  'time',
  'ops/s',
  'cpu',
  'rss',
  'heap',
  'ext',
  'kernel',
  'fds',
  'data',
  'log',
  'get',
  'put',
  'commit',
  'loop'
]

/** What the columns of `lineOf` mean. */
export function headingLines(): string[] {
  return ['memory and files in MiB; p50/p99 of get in µs, of put, commit and the event loop in ms', row(headings)]
}

export function lineOf(sample: Sample): string {
  const { latency } = sample
  return row([
    duration(sample.at),
    `${Math.round(sample.rate)}`,
    `${Math.round(sample.cpu * 100)} %`,
    ...[sample.rssBytes, sample.heapBytes, sample.externalBytes, sample.wasmBytes].map(mib),
    `${sample.descriptors}`,
    mib(sample.dataBytes),
    mib(sample.logBytes),
    times(latency.get, 1, 0),
    times(latency.put, 1_000, 1),
    times(latency.commit, 1_000, 1),
    times(latency.eventLoop, 1_000, 0)
  ])
}

/** First third against last third, and the verdict. */
export function tableOf(findings: readonly Finding[]): string[] {
  const rows = findings.map(({ name, first, last, growth, allowed, since }) => [
    name,
    figure(first),
    figure(last),
    figure(growth),
    figure(allowed),
    since === undefined ? 'flat' : `grows since ${duration(since)}`
  ])
  const all = [['after warm-up', 'first third', 'last third', 'growth', 'allowed', ''], ...rows]
  return all.map(([name = '', ...cells]) => name.padEnd(18) + cells.map(cell => cell.padStart(14)).join(''))
}

/** Such as 1:02:03. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds)
  const [h, m, s] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60]
  return `${h}:${String(m).padStart(2, '0')}:${String(s).padStart(2, '0')}`
}

function row(cells: readonly string[]): string {
  return cells.map((cell, i) => cell.padStart(i > 9 ? 12 : 8)).join('')
}

function times({ p50, p99 }: Latency, unit: number, digits: number): string {
  return `${(p50 / unit).toFixed(digits)}/${(p99 / unit).toFixed(digits)}`
}

function mib(bytes: number): string {
  return (bytes / (1 << 20)).toFixed(1)
}

function figure(value: number): string {
  return Math.round(value).toLocaleString('en')
}
