/**
 * Whether Node's own modules are here: in Node, Deno, Bun and Electron. They tell which version of it they are like.
 */
export function isNodeLike(): boolean {
  const process: unknown = Reflect.get(globalThis, 'process')
  if (typeof process !== 'object' || process === null) return false
  const versions: unknown = Reflect.get(process, 'versions')
  if (typeof versions !== 'object' || versions === null) return false
  return typeof Reflect.get(versions, 'node') === 'string'
}
