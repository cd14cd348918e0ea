/**
 * An array of one, with room for three more. One that is made with one item takes room for seventeen when it grows,
 * which is much for what every transaction has.
 */
export function smallArray<T>(item: T): T[] {
  const items = [item, item, item, item]
  items.pop()
  items.pop()
  items.pop()
  return items
}
