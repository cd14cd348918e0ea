/** Bytes of different natures from a seed, for compressors and checksums. */
export const natures = ['records', 'text', 'noise', 'zeros', 'runs', 'counters'] as const
export type Nature = (typeof natures)[number]

/** `length` bytes of one nature; the same for the same seed. */
export function sample(nature: Nature, length: number, seed: number): Uint8Array {
  const random = generator(seed)
  if (nature === 'records') return repeatText(length, () => record(random))
  if (nature === 'text') return repeatText(length, () => `${words[random() % words.length]} `)
  const bytes = new Uint8Array(length)
  if (nature === 'noise') {
    for (let i = 0; i < length; i++) bytes[i] = random()
  } else if (nature === 'runs') {
    for (let i = 0; i < length; ) {
      const end = i + 1 + (random() % 2000)
      bytes.fill(random(), i, end)
      i = end
    }
  } else if (nature === 'counters') {
    const view = new DataView(bytes.buffer)
    for (let i = 0; i + 4 <= length; i += 4) view.setUint32(i, i >>> 2, true)
  }
  return bytes
}

/** A generator of 32-bit numbers (xorshift), so that a failure can be seen again. */
export function generator(seed: number): () => number {
  let state = seed * 2 + 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

const words = ['page', 'frame', 'slot', 'cell', 'extent', 'checkpoint', 'snapshot', 'epoch', 'größe', '木']
const names = ['Anna', 'Bob', 'Carla', 'Dmitri', 'Elena', 'Farid', 'Grace', 'Hugo']

function record(random: () => number): string {
  const id = random() % 1_000_000
  return JSON.stringify({
    id: `user:${String(id).padStart(10, '0')}`,
    name: `${names[random() % names.length]} ${random().toString(36)}`,
    email: `u${id}@example.com`,
    age: random() % 90,
    active: random() % 2 === 0
  })
}

function repeatText(length: number, next: () => string): Uint8Array {
  let text = ''
  while (text.length < length) text += next()
  return new TextEncoder().encode(text).slice(0, length)
}
