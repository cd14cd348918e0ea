// The engine's logger on the owner's side: every line goes to the clients that have a logger.

import type { EngineLogger } from '../engine/options.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

interface Listener {
  log(level: LogLevel, parts: readonly unknown[]): void
}

/** Lines logged before the first client connects are kept for it, up to this many. */
const mostKept = 100

export class LogFanout implements EngineLogger {
  readonly #listeners = new Set<Listener>()
  #kept: [LogLevel, readonly unknown[]][] = []

  add(listener: Listener): void {
    this.#listeners.add(listener)
    for (const [level, parts] of this.#kept) listener.log(level, parts)
    this.#kept = []
  }

  remove(listener: Listener): void {
    this.#listeners.delete(listener)
  }

  debug(...parts: unknown[]): void {
    this.#send('debug', parts)
  }

  info(...parts: unknown[]): void {
    this.#send('info', parts)
  }

  warn(...parts: unknown[]): void {
    this.#send('warn', parts)
  }

  error(...parts: unknown[]): void {
    this.#send('error', parts)
  }

  #send(level: LogLevel, parts: readonly unknown[]): void {
    if (this.#listeners.size === 0) {
      if (this.#kept.length < mostKept) this.#kept.push([level, parts])
      return
    }
    for (const listener of this.#listeners) listener.log(level, parts)
  }
}
