// What `npm run fuzz` runs: one target for everything that parses bytes.
import { isLightningError, type LightningErrorCode } from '../../src/errors.ts'
import type { Random } from '../../test/support/random.ts'

/** A parser under test. An input is bytes; what they mean is the target's business. */
export interface Target {
  /** Inputs to begin with when there is no corpus. */
  readonly seeds: readonly Uint8Array[]
  /** Inputs are cut to so many bytes. */
  readonly mostBytes: number
  /** Throws when something that must hold for every input does not hold for this one. */
  run(input: Uint8Array): void | Promise<void>
  /** Another input, near this one, that is still of the form the target expects. `other` is one to take parts from. */
  mutate?(input: Uint8Array, random: Random, other: Uint8Array): Uint8Array
}

/** A target before it is made ready. */
export interface TargetEntry {
  /** As `--only` names it. */
  readonly name: string
  /** One line for the table at the end. */
  readonly what: string
  create(): Promise<Target>
}

/** What a target throws when it has found something. */
export class Finding extends Error {
  override readonly name = 'Finding'
}

/** Throws unless the condition holds; `what` says what must. */
export function expectThat(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Finding(what)
}

/** Passes an error with one of these codes; anything else is a finding. */
export function expectTyped(error: unknown, codes: readonly LightningErrorCode[]): void {
  if (isLightningError(error) && codes.includes(error.code)) return
  if (error instanceof Finding) throw error
  throw new Finding(`not an error that a caller can act on: ${error instanceof Error ? error.stack : String(error)}`, {
    cause: error
  })
}

/** Whether two arrays hold the same bytes. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
