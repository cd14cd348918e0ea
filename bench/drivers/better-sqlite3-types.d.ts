// The package brings no types: what the benchmarks use of it.
declare module 'better-sqlite3' {
  interface Statement {
    run(...parameters: unknown[]): unknown
    get(...parameters: unknown[]): unknown
    all(...parameters: unknown[]): unknown[]
    iterate(...parameters: unknown[]): IterableIterator<unknown>
    pluck(): Statement
    raw(): Statement
  }
  // biome-ignore lint/style/noDefaultExport: it is what the package has
  export default class Database {
    constructor(path: string)
    exec(sql: string): this
    pragma(text: string): unknown
    prepare(sql: string): Statement
    transaction<A extends unknown[]>(body: (...args: A) => void): (...args: A) => void
    close(): this
  }
}
