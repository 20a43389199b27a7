// Owns: what every benchmark needs: its checkpoint, the machine's description, checked numbers, percentiles, raw results.
// Must not know: what is measured.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { writeSeededCheckpoint } from './seeded-checkpoint.mjs'

export const results = path.join(import.meta.dirname, 'results')
mkdirSync(results, { recursive: true })

/** The named one, or seeded weights of the named size: speed does not depend on their values. */
export async function benchmarkCheckpoint({ checkpoint, size }) {
  if (checkpoint !== undefined) return path.resolve(checkpoint)
  const target = path.join(results, `seeded-${size}.safetensors`)
  if (!existsSync(target)) await writeSeededCheckpoint(size, target)
  return target
}

export function wholeNumber(values, name) {
  const value = Number(values[name])
  if (Number.isInteger(value) && value >= 1) return value
  throw new Error(`Expected a whole number from 1 for --${name}, received ${values[name]}`)
}

/** Of WIDTHxHEIGHT. */
export function frameSize(values) {
  const [width, height] = values['frame-size'].split('x').map(Number)
  if (width > 0 && height > 0) return { width, height }
  throw new Error(`Expected WIDTHxHEIGHT for --frame-size, received ${values['frame-size']}`)
}

/** Of VideoDepth.load; an engine's own options only where they were given. */
export function engineOptions({ backend, device, precision, 'tensorrt-path': tensorrtPath }) {
  return {
    backend,
    ...(device !== undefined && { device: Number(device) }),
    ...(precision !== undefined && { precision }),
    ...(tensorrtPath !== undefined && { tensorrtPath }),
  }
}

export function machine(threads) {
  const { model } = os.cpus()[0]
  return { processor: model.trim(), threads, memoryGiB: Math.round(os.totalmem() / 2 ** 30), node: process.version }
}

export function median(numbers) {
  return percentile(numbers, 50)
}

export function percentile(numbers, percent) {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))]
}

/** @returns the file's path, for people */
export function writeReport(name, report) {
  const file = path.join(results, `${name}-${Date.now()}.json`)
  writeFileSync(file, `${JSON.stringify({ date: new Date().toISOString(), ...report }, undefined, 2)}\n`)
  return path.relative(process.cwd(), file)
}
