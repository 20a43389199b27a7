// Owns: 4×4 matrices: product, inverse, check.
// Must not know: cameras.

import { invalidOption } from '../base/errors.js'

/** Row-major, as data sets write camera poses. */
export type Matrix4 = readonly (readonly number[])[]

/** @throws VideoDepthError INVALID_OPTION where it is not 4×4 or not finite */
export function checkMatrix4(matrix: Matrix4, parameter: string): void {
  const isSquare =
    Array.isArray(matrix) && matrix.length === 4 && matrix.every((row) => Array.isArray(row) && row.length === 4)
  if (!isSquare) throw invalidOption('four rows of four numbers', parameter, matrix)
  if (!matrix.flat().every(Number.isFinite)) throw invalidOption('finite numbers', parameter, JSON.stringify(matrix))
}

export function multiplied(a: Matrix4, b: Matrix4): number[][] {
  return a.map((row) => [0, 1, 2, 3].map((column) => row.reduce((sum, value, k) => sum + value * at(b, k, column), 0)))
}

/** By Gauss-Jordan elimination with row pivots. @throws VideoDepthError INVALID_OPTION where it is singular */
export function inverse(matrix: Matrix4, parameter: string): number[][] {
  const rows = matrix.map((row, i) => [...row, ...[0, 1, 2, 3].map((j) => (i === j ? 1 : 0))])
  for (let column = 0; column < 4; column++) {
    let pivot = column
    for (let row = column + 1; row < 4; row++)
      if (Math.abs(at(rows, row, column)) > Math.abs(at(rows, pivot, column))) pivot = row
    const chosen = rows[pivot] as number[]
    const divisor = chosen[column] as number
    if (divisor === 0) throw invalidOption('an invertible matrix', parameter, JSON.stringify(matrix))
    rows[pivot] = rows[column] as number[]
    const scaled = chosen.map((value) => value / divisor)
    rows[column] = scaled
    for (let row = 0; row < 4; row++) {
      if (row === column) continue
      const factor = at(rows, row, column)
      rows[row] = (rows[row] as number[]).map((value, k) => value - factor * (scaled[k] as number))
    }
  }
  return rows.map((row) => row.slice(4))
}

const at = (matrix: Matrix4, row: number, column: number): number => matrix[row]?.[column] as number
