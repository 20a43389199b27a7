// Owns: a plain form of the network's preprocessing, to check against and to feed parity tests.
// Must not know: the addon.

const mean = [0.485, 0.456, 0.406] as const
const deviation = [0.229, 0.224, 0.225] as const

/** RGB uint8 [height, width, 3] → [3, outHeight, outWidth] float32, resized by OpenCV's INTER_CUBIC rule. */
export function referencePreprocess(
  frame: Uint8Array,
  width: number,
  height: number,
  outWidth: number,
  outHeight: number,
): Float32Array {
  const columns = taps(width, outWidth)
  const rows = taps(height, outHeight)
  const out = new Float32Array(3 * outHeight * outWidth)
  for (let c = 0; c < 3; c++) {
    for (const [y, row] of rows.entries()) {
      for (const [x, column] of columns.entries()) {
        let sum = 0
        for (const [j, wy] of row) {
          for (const [i, wx] of column) sum += wy * wx * ((frame[(j * width + i) * 3 + c] ?? Number.NaN) / 255)
        }
        out[(c * outHeight + y) * outWidth + x] = (sum - (mean[c] ?? 0)) / (deviation[c] ?? 1)
      }
    }
  }
  return out
}

function taps(length: number, outLength: number): [number, number][][] {
  return Array.from({ length: outLength }, (_, i) => {
    const centre = (i + 0.5) * (length / outLength) - 0.5
    const first = Math.floor(centre) - 1
    return [0, 1, 2, 3].map((k): [number, number] => {
      const index = Math.min(length - 1, Math.max(0, first + k))
      return [index, kernel(Math.abs(centre - first - k))]
    })
  })
}

function kernel(x: number): number {
  const a = -0.75
  return x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
}
