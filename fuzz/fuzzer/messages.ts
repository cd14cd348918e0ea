// What the two sides of a fuzzing process say to each other.

/** What a worker process is started with, as JSON in its first argument. */
export interface WorkerTask {
  readonly target: string
  readonly seed: number
  readonly seconds: number
  /** Counters in the bundle. */
  readonly counters: number
  /** The committed corpus, and the larger one of this checkout. */
  readonly corpus: string
  readonly work: string
  /** Where the input under way is kept, for when the process does not come back from it. */
  readonly current: string
  /** Only runs the input in this file. */
  readonly replay?: string | undefined
}

export interface WorkerProgress {
  readonly kind: 'progress'
  readonly executions: number
  readonly seconds: number
  readonly edges: number
  /** Branches that the corpus at the start did not reach. */
  readonly newEdges: number
  readonly corpus: number
}

export interface WorkerFinding {
  readonly kind: 'finding'
  /** In base64. */
  readonly input: string
  readonly message: string
}

export type WorkerMessage = WorkerProgress | WorkerFinding | { readonly kind: 'done' }
