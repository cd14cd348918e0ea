/** What names a directory in any thread of this environment, by what its file system calls it. */
export function pathOf(location: string): string {
  // The origin private file system puts its own name in front.
  return location.replace(/^opfs:/, '')
}
