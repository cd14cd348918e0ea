// Histories written by hand, one transaction a line:
//
//   x+1 x=1,2 y=        appends 1 to x, reads x as [1, 2] and y as []
//   !x+1                was rolled back
//   [0,3] x+1           began at 0 and ended at 3; without this, transactions overlap all others
import type { History, Operation, RecordedTransaction } from './history.ts'

/** `final`: what is there in the end, as reads: `x=1,2 y=`. */
export function written(lines: string, final?: string): History {
  return {
    transactions: lines
      .split('\n')
      .map(line => line.trim())
      .filter(line => line !== '')
      .map(transactionOf),
    final: final === undefined ? undefined : listsOf(final)
  }
}

function transactionOf(line: string): RecordedTransaction {
  const [, aborted, began = '0', ended = 'Infinity', rest = ''] =
    /^(!)?\s*(?:\[(\d+),(\d+)\])?\s*(.*)$/.exec(line) ?? []
  return {
    began: Number(began),
    ended: Number(ended),
    outcome: aborted === undefined ? 'committed' : 'aborted',
    operations: operationsOf(rest)
  }
}

function operationsOf(text: string): Operation[] {
  return text.split(/\s+/).map(word => {
    const [, key, sign, numbers] = /^(\w+)([+=])([\d,]*)$/.exec(word) ?? []
    if (key === undefined || numbers === undefined) throw new Error(`Not an operation: ${word}`)
    if (sign === '+') return { type: 'append', key, element: Number(numbers) }
    return { type: 'read', key, list: numbers === '' ? [] : numbers.split(',').map(Number) }
  })
}

function listsOf(text: string): Map<string, readonly number[]> {
  const lists = new Map<string, readonly number[]>()
  for (const operation of operationsOf(text)) if (operation.type === 'read') lists.set(operation.key, operation.list)
  return lists
}
