// What a logger throws must not stop what it is told of: half of a rollback, or a close that leaves the lock behind.
import type { EngineLogger } from './options.ts'

/** A logger that tells `logger` and throws nothing. */
export function calm(logger: EngineLogger): EngineLogger {
  const telling =
    (level: keyof EngineLogger) =>
    (...message: unknown[]): void => {
      try {
        logger[level](...message)
      } catch {
        // There is nobody else to tell.
      }
    }
  return { debug: telling('debug'), info: telling('info'), warn: telling('warn'), error: telling('error') }
}
