// What a repair could not read, as it is reported to the caller.
import { dataFileName } from '../store/format.ts'
import { type KeyRange, keyText, rangeText, sublevelText } from './key-text.ts'
import { namesOf } from './keyspace-path.ts'
import { damagedName } from './repair-files.ts'

/** Something that `repair` could not read. */
export interface LostPart {
  /** What is lost, where it was and what can be done, in sentences. */
  readonly message: string
  /** What is wrong there. */
  readonly reason: string
  /** The name that the file had. It is kept under another name, which the message tells. */
  readonly file?: string | undefined
  /** Position in that file in bytes. */
  readonly offset?: number | undefined
  /** Page id. */
  readonly page?: number | undefined
  /** Names of the sublevel concerned, from the outermost on; empty: the database's own keyspace. Absent: not known. */
  readonly sublevel?: readonly string[] | undefined
  /** Encoded bounds of the keys that are lost: `from` belongs to them, `to` does not; undefined is an open end. */
  readonly keyRange?: KeyRange | undefined
}

/** Where a loss was found. */
export interface LossPlace {
  readonly file?: string | undefined
  /** The file is not there, so nothing of it is kept. */
  readonly isMissing?: boolean | undefined
  readonly offset?: number | undefined
  readonly page?: number | undefined
  /** Path in the catalog. */
  readonly path?: Uint8Array | undefined
  readonly keyRange?: KeyRange | undefined
}

/** The most losses that are reported one by one, so that a database with damage everywhere does not fill the memory. */
const mostParts = 10_000

const backupAdvice = 'Take it from a backup if there is one: restore it beside and copy what is missing.'

export class Losses {
  readonly #number: number
  readonly #parts: LostPart[] = []
  #untold = 0

  /** `number` is that of the repair: it tells under which names the damaged files are kept. */
  constructor(number: number) {
    this.#number = number
  }

  get parts(): readonly LostPart[] {
    if (this.#untold === 0) return this.#parts
    const reason = `${this.#untold} more parts could not be read`
    return [...this.#parts, { message: `${reason}; only the first ${mostParts} are listed. ${this.#advice()}`, reason }]
  }

  /** Entries of a range, or of all of a keyspace, are lost; `verdict` is how the sentence begins. */
  entries(verdict: string, reason: string, place: LossPlace): void {
    const where = place.path === undefined ? 'an unknown keyspace' : sublevelText(namesOf(place.path))
    const what = place.keyRange === undefined ? 'some entries' : rangeText(place.keyRange)
    this.#add(`${verdict}${what} of ${where}, as far as the log does not hold them.`, reason, place)
  }

  /** The value of one key is lost, and the key with it, unless the log has put it again. */
  value(reason: string, key: Uint8Array, path: Uint8Array | undefined, place: LossPlace): void {
    const to = new Uint8Array(key.length + 1)
    to.set(key)
    const where = path === undefined ? 'an unknown keyspace' : sublevelText(namesOf(path))
    const message = `Lost: the large value of the key ${keyText(key)} of ${where}, as far as the log does not hold a newer one.`
    this.#add(message, reason, { ...place, path, keyRange: { from: key, to } })
  }

  /** Something else is lost; `message` says what. */
  other(message: string, reason: string, place: LossPlace = {}): void {
    this.#add(message, reason, place)
  }

  #add(message: string, reason: string, place: LossPlace): void {
    if (this.#parts.length >= mostParts) {
      this.#untold++
      return
    }
    const { file, isMissing, offset, page, path, keyRange } = place
    const at = file === undefined ? '' : ` (${offset === undefined ? '' : `byte ${offset} of `}${file})`
    this.#parts.push({
      message: `${message} ${reason}${at}. ${isMissing === true ? backupAdvice : this.#advice(file)}`,
      reason,
      file,
      offset,
      page,
      sublevel: path === undefined ? undefined : namesOf(path),
      keyRange
    })
  }

  #advice(file = dataFileName): string {
    return `${backupAdvice} The damaged file is kept as ${damagedName(file, this.#number)}.`
  }
}
