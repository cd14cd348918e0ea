import { instantiateSync } from '@assemblyscript/loader'

/**
 * Gives a module made by AssemblyScript the imports that it may expect, and an instance. The loader's asynchronous way
 * asks first whether it was given a `Response`, and Node takes 20 ms to load what that belongs to.
 */
export async function instantiate(module: WebAssembly.Module): Promise<{ readonly instance: WebAssembly.Instance }> {
  return instantiateSync(module)
}
