/** Bits of `PageMap.flags`. */
export const pageFlags = {
  /** The page is part of the database; of those that are not, everything else is 0. */
  used: 1,
  /** It is in the cache. */
  resident: 2,
  /** It differs from what is on disk. */
  dirty: 4,
  /** It was used since the cache last looked for pages that can make room. */
  recent: 8,
  /** It is a piece of a large value. Those are not cached. */
  large: 16
} as const
