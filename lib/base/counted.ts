// Owns: how many of something, in words.
// Must not know: of what.

/** `1 frame`, `2 frames`. */
export function counted(count: number, what: string, many = `${what}s`): string {
  return `${count} ${count === 1 ? what : many}`
}
