// Histories of transactions that append to lists and read them (after Kingsbury and Alvaro, "Elle", 2020). A list tells
// by itself in which order it was appended to, so the dependencies of all transactions follow from what they read.

export type Operation =
  | { readonly type: 'append'; readonly key: string; readonly element: number }
  | { readonly type: 'read'; readonly key: string; readonly list: readonly number[] }

/**
 * `unknown`: a crash came before the answer. The checker takes committed transactions only, so what is unknown has to be
 * decided first.
 */
export type Outcome = 'committed' | 'aborted' | 'unknown'

/** What one transaction did. Elements are unique in a history. */
export interface RecordedTransaction {
  /** Place in real time just before it began; `ended`: just after its outcome was known. */
  readonly began: number
  ended: number
  outcome: Outcome
  /** In their order. A read sees the transaction's own appends, at the end of the list. */
  operations: Operation[]
}

export interface History {
  readonly transactions: readonly RecordedTransaction[]
  /** All lists as they were found in the end; a list that is missing is empty. */
  readonly final?: ReadonlyMap<string, readonly number[]> | undefined
}

/** Writes a history down while it happens. */
export class Recorder {
  readonly transactions: RecordedTransaction[] = []
  #now = 0
  #elements = 0

  /** A transaction is about to begin. */
  begin(): RecordedTransaction {
    const transaction: RecordedTransaction = {
      began: this.#now++,
      ended: Number.POSITIVE_INFINITY,
      outcome: 'unknown',
      operations: []
    }
    this.transactions.push(transaction)
    return transaction
  }

  /** Its outcome is known now. */
  end(transaction: RecordedTransaction, outcome: Outcome): void {
    transaction.outcome = outcome
    transaction.ended = this.#now++
  }

  /** An element that no list has yet. */
  element(): number {
    return ++this.#elements
  }
}
