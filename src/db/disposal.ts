// The symbols behind `using` and `await using`. On platforms without them, what compilers generate for `using` looks
// for symbols of the global registry.

/** `Symbol.dispose`, or what stands in for it. */
export const dispose: typeof Symbol.dispose = /* @__PURE__ */ symbolOf('dispose')

/** `Symbol.asyncDispose`, or what stands in for it. */
export const asyncDispose: typeof Symbol.asyncDispose = /* @__PURE__ */ symbolOf('asyncDispose')

function symbolOf(name: 'dispose'): typeof Symbol.dispose
function symbolOf(name: 'asyncDispose'): typeof Symbol.asyncDispose
function symbolOf(name: string): unknown {
  return Reflect.get(Symbol, name) ?? Symbol.for(`Symbol.${name}`)
}
