// Owns: how much larger what is packed in a file may be than the file: a file of a few bytes claims no gigabytes.
// Must not know: formats.

/** A map of 8K (7680×4320) of one constant value is packed to almost nothing; it fits in here. Bytes of float32. */
const alwaysAllowed = 2 ** 27
/** Deflate packs zeros to a thousandth; whole layers of a rendered picture are zeros, but hardly a picture. */
const mostTimes = 128
/** Frames that even the smallest file may claim. */
const framesAllowed = 65_536

/** @param unpacked bytes of memory that a header asks for @throws Error */
export function checkUnpacked(unpacked: number, fileBytes: number): void {
  const most = Math.max(alwaysAllowed, mostTimes * fileBytes)
  if (!(unpacked <= most))
    throw new Error(`expected at most ${most} bytes packed in a file of ${fileBytes}, found ${unpacked}`)
}

/** A frame takes at least one byte of the file. @throws Error */
export function checkFrames(frames: number, fileBytes: number): void {
  const most = Math.max(framesAllowed, fileBytes)
  if (frames > most) throw new Error(`expected at most ${most} frames in a file of ${fileBytes} bytes, found ${frames}`)
}
