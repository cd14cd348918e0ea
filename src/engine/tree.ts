// A handle for a keyspace: its path, and where its tree was last found.
import { MAIN_ROOT, MAIN_TREE } from '../../assembly/operations.ts'
import { invalidArgument } from '../encoding/failure.ts'
import type { Core } from './core.ts'

/** A keyspace of the database; made by `Engine.tree`. */
export interface Tree {
  /** Key in the catalog; empty for the database's own keyspace. */
  readonly path: Uint8Array
  /** The same, one character for each byte. */
  readonly name: string
}

export class TreeHandle implements Tree {
  readonly path: Uint8Array
  readonly name: string
  /** Tree id, 0 while there is none. */
  id = 0
  /** Page id of the root. */
  root = 0
  #version = 0

  constructor(path: Uint8Array) {
    this.path = path
    this.name = String.fromCharCode(...path)
    if (path.length === 0) {
      this.id = MAIN_TREE
      this.root = MAIN_ROOT
    }
  }

  /** Looks the tree up if the catalog has changed; tells whether it exists. */
  locate(core: Core): boolean {
    if (this.path.length === 0) return true
    if (this.#version === core.catalogVersion) return this.id !== 0
    const place = core.catalog.find(this.path, 0)
    this.id = place?.id ?? 0
    this.root = place?.root ?? 0
    this.#version = core.catalogVersion
    return this.id !== 0
  }
}

/** The handle behind a keyspace; throws `LIGHTNING_INVALID_ARGUMENT` when it is not one of an engine. */
export function handleOf(tree: Tree): TreeHandle {
  if (tree instanceof TreeHandle) return tree
  throw invalidArgument('The keyspace is of another database. Pass one of this database.')
}
