/** As in `instantiate.ts`. Our kernel imports nothing (its build sees to that), so pages are spared the loader. */
export async function instantiate(module: WebAssembly.Module): Promise<{ readonly instance: WebAssembly.Instance }> {
  return { instance: await WebAssembly.instantiate(module) }
}
