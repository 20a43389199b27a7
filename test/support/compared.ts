// Owns: maps to compare, written as rows of numbers, and comparison of numbers within a tolerance.
// Must not know: any measure.

import type { Test } from 'tap'
import type { ComparedMaps } from '../../dist/esm/evaluate/compared-maps.js'
import type { SceneFrame } from './evaluation-scene.js'

export type Rows = readonly (readonly number[])[]

/** What the truth gives as 0 does not count. */
export function maps(prediction: Rows, truth: Rows): ComparedMaps {
  const flat = truth.flat()
  return {
    prediction: prediction.flat(),
    truth: flat,
    valid: Uint8Array.from(flat, (value) => (value === 0 ? 0 : 1)),
    width: truth[0]!.length,
    height: truth.length,
  }
}

/** Predicted and true disparity of a scene whose predictions have the truth's size. */
export function disparities({ prediction, truth }: SceneFrame): ComparedMaps {
  const { width, height } = truth
  return {
    prediction: prediction.data,
    truth: truth.data.map((depth) => (depth > 0 ? 1 / depth : 0)),
    valid: Uint8Array.from(truth.data, (depth) => (depth > 0 ? 1 : 0)),
    width,
    height,
  }
}

export function near(t: Test, value: number, expected: number, name: string, tolerance = 1e-12): void {
  const isNear = Math.abs(value - expected) <= tolerance * Math.max(Math.abs(expected), 1e-9)
  t.ok(isNear || value === expected, `${name}: ${value}, expected ${expected}`)
}
