// The corpus: for every target a folder of inputs that each do something no other does. It is the state of fuzzing:
// the next run begins with it. A file is named after its content.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export class Corpus {
  readonly inputs: Uint8Array[] = []
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
    for (const name of namesIn(folder)) this.inputs.push(new Uint8Array(readFileSync(join(folder, name))))
  }

  /** Keeps an input. */
  add(input: Uint8Array): void {
    this.inputs.push(input)
    mkdirSync(this.#folder, { recursive: true })
    writeFileSync(join(this.#folder, nameOf(input)), input)
  }

  /** Keeps only these. */
  become(inputs: readonly Uint8Array[]): void {
    const kept = new Set(inputs.map(nameOf))
    for (const name of namesIn(this.#folder)) if (!kept.has(name)) rmSync(join(this.#folder, name))
    this.inputs.length = 0
    for (const input of inputs) this.add(input)
  }
}

/** Name of an input's file. */
export function nameOf(input: Uint8Array): string {
  return createHash('sha256').update(input).digest('hex').slice(0, 16)
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : []
}
