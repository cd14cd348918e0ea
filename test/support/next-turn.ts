/** Resolves in a later turn of the event loop, when all promises that could settle have done so. */
export function nextTurn(): Promise<void> {
  // (`setImmediate` is not in browsers.)
  return new Promise(resolve => setTimeout(resolve))
}
