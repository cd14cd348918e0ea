import { invalidArgument } from '../encoding/failure.ts'

/**
 * The names from the root of the origin private file system down to a directory. Throws `LIGHTNING_INVALID_ARGUMENT`.
 */
export function opfsNames(location: string): string[] {
  const names = location.split('/').filter(name => name !== '' && name !== '.')
  if (names.length > 0 && !names.includes('..')) return names
  const message = `Cannot keep a database at ${location}: name a directory below the root, such as "app" or "app/cache".`
  throw invalidArgument(message, { file: location })
}

/** The directory as errors name it. Throws `LIGHTNING_INVALID_ARGUMENT`. */
export function opfsLocation(location: string): string {
  return `opfs:/${opfsNames(location).join('/')}`
}
