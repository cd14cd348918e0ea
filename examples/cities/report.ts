// How the example talks: chapters, and under each aligned lines of what was done, how much, and in which time. Colours
// only for people: not when NO_COLOR is set or the output goes elsewhere.

const colourful = process.stdout.isTTY === true && !process.env.NO_COLOR

const bold = (text: string) => styled(text, 1)
const dim = (text: string) => styled(text, 2)
const green = (text: string) => styled(text, 32)
const yellow = (text: string) => styled(text, 33)

const labelWidth = 34

export function title(text: string): void {
  print(`\n${yellow('⚡')} ${bold(text)}`)
}

export function chapter(text: string): void {
  print(`\n${bold(text)}`)
}

/** One line: what, the outcome, and what else there is to know. */
export function line(what: string, outcome: string, more = ''): void {
  print(`  ${what.padEnd(labelWidth)} ${green(outcome)}${more === '' ? '' : `  ${dim(more)}`}`)
}

/** An indented line of content. */
export function item(text: string): void {
  print(`    ${text}`)
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Does something and says how many milliseconds that took. */
export async function clocked<T>(body: () => T | Promise<T>): Promise<{ readonly result: T; readonly ms: number }> {
  const started = performance.now()
  const result = await body()
  return { result, ms: performance.now() - started }
}

/** 135233 → 135,233 */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en')
}

export function duration(ms: number): string {
  if (ms < 0.1) return `${(ms * 1000).toFixed(0)} µs`
  if (ms < 10) return `${ms.toFixed(1)} ms`
  return ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(2)} s`
}

export function size(bytes: number): string {
  return bytes < 1 << 20 ? `${(bytes / 1024).toFixed(0)} KiB` : `${(bytes / (1 << 20)).toFixed(1)} MiB`
}

export function rate(operations: number, ms: number, noun: string): string {
  return `${count((operations / ms) * 1000)} ${noun}/s`
}

function styled(text: string, code: number): string {
  return colourful ? `\u001b[${code}m${text}\u001b[0m` : text
}
