// Owns: the small array arithmetic of converting weights.
// Must not know: which tensors these are.

/** A view. */
export function range(values: Float32Array, start: number, length: number): Float32Array {
  return values.subarray(start, start + length)
}

export function scaled(values: Float32Array, factor: number): Float32Array {
  return factor === 1 ? values : values.map((value) => value * factor)
}

export function sum(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, i) => value + (b[i] ?? Number.NaN))
}

/** Side of the tiles that a transposition works in, so that both arrays stay in the processor's cache. */
const tile = 32

/** [rows, columns] → [columns, rows] */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length)
  for (let top = 0; top < rows; top += tile) {
    const bottom = Math.min(rows, top + tile)
    for (let left = 0; left < columns; left += tile) {
      const right = Math.min(columns, left + tile)
      for (let row = top; row < bottom; row++) {
        for (let column = left; column < right; column++) out[column * rows + row] = values[row * columns + column] ?? 0
      }
    }
  }
  return out
}

/** Parts one after another, each filled up with zeros to `length`. */
export function stacked(parts: readonly Float32Array[], length: number): Float32Array {
  const out = new Float32Array(parts.length * length)
  for (const [i, part] of parts.entries()) out.set(part, i * length)
  return out
}
