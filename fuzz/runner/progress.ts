// One line that says how far a run is: rewritten every second on a terminal, a line a minute elsewhere.

/** Shows `line()` until it is ended. */
export class Progress {
  readonly #line: () => string
  readonly #timer: NodeJS.Timeout
  readonly #isTerminal = process.stderr.isTTY === true

  constructor(line: () => string) {
    this.#line = line
    this.#timer = setInterval(() => this.#show(), this.#isTerminal ? 1_000 : 60_000)
  }

  /** Prints something that stays, above the line. */
  tell(text: string): void {
    this.#clear()
    process.stderr.write(`${text}\n`)
  }

  end(): void {
    clearInterval(this.#timer)
    this.#clear()
  }

  #show(): void {
    if (!this.#isTerminal) {
      process.stderr.write(`${this.#line()}\n`)
      return
    }
    this.#clear()
    process.stderr.write(this.#line().slice(0, process.stderr.columns - 1))
  }

  #clear(): void {
    if (this.#isTerminal) process.stderr.write('\r\u001b[K')
  }
}

/** Minutes and seconds, or hours. */
export function formatTime(seconds: number): string {
  const whole = Math.floor(seconds)
  const [hours, minutes, rest] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (number: number) => number.toString().padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}
