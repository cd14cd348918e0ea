// A logger that throws must not interrupt what it is told about: a rollback would be half done, a close would keep the
// lock.
import type { EngineLogger } from './options.ts'

/** A logger that passes everything on to `logger` and never throws. */
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
