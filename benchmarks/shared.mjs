// Owns: what every benchmark needs: its checkpoint and clip, the machine's description, checked numbers, percentiles, raw results.
// Must not know: what is measured.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { rgbVideoWriter } from '../dist/esm/io/sinks/rgb-video-sink.js'
import sharp from 'sharp'
import { openVideo } from 'video-depth'
import { sampleVideo } from '../dist/esm/evaluate/bundled-sample.js'
import { writeSeededCheckpoint } from './seeded-checkpoint.mjs'

const require = createRequire(import.meta.url)
export const results = path.join(import.meta.dirname, 'results')
mkdirSync(results, { recursive: true })

/** The named one, or seeded weights of the named size: speed does not depend on their values. */
export async function benchmarkCheckpoint({ checkpoint, size }) {
  if (checkpoint !== undefined) return path.resolve(checkpoint)
  const target = path.join(results, `seeded-${size}.safetensors`)
  if (!existsSync(target)) {
    process.stderr.write(`writing seeded weights of ${size}\n`)
    await writeSeededCheckpoint(size, `${target}.partial`)
    renameSync(`${target}.partial`, target)
  }
  return target
}

/** The sample, played back and forth. Kept for the next time. */
export async function benchmarkClip(width, height, frames) {
  const target = path.join(results, `clip-${width}x${height}-${frames}.mp4`)
  if (existsSync(target)) return target
  const frameRate = 24
  const there = await sampleFrames(width, height)
  const back = there.slice(1, -1).reverse()
  const loop = [...there, ...back]
  const writer = await rgbVideoWriter(target, { frameRate })
  for (let i = 0; i < frames; i++) await writer.write({ ...loop[i % loop.length], timestampMs: (i * 1000) / frameRate })
  return writer.finish()
}

/** The bundled sample, scaled: what is in a picture does not change how long it takes. */
export async function sampleFrames(width, height) {
  const frames = []
  for await (const { data, ...size } of await openVideo(sampleVideo)) {
    const raw = { width: size.width, height: size.height, channels: 3 }
    const scaled = await sharp(data, { raw }).resize(width, height, { fit: 'fill' }).raw().toBuffer()
    frames.push({ data: scaled, width, height })
  }
  return frames
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
export function engineOptions({ backend, device, 'tensorrt-path': tensorrtPath }, precision) {
  return {
    backend,
    precision,
    ...(device !== undefined && { device: Number(device) }),
    ...(tensorrtPath !== undefined && { tensorrtPath }),
  }
}

const flagsOfInterest = [
  'avx2',
  'avx_vnni',
  'avx512f',
  'avx512_vnni',
  'avx512_bf16',
  'amx_tile',
  'amx_int8',
  'amx_bf16',
]

export function machine(threads) {
  const { model } = os.cpus()[0]
  return {
    processor: model.trim(),
    processors: os.cpus().length,
    processorFlags: processorFlags().filter((flag) => flagsOfInterest.includes(flag)),
    threads,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    node: process.version,
  }
}

/** Linux's names for them; none elsewhere. */
function processorFlags() {
  try {
    return /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1].trim().split(/\s+/) ?? []
  } catch {
    return []
  }
}

/** Versions of our package, with its commit where there is one, and of what runs the baseline. */
export function versions() {
  const root = path.join(import.meta.dirname, '..')
  const stdio = ['ignore', 'pipe', 'ignore']
  let commit = null
  try {
    commit = execFileSync('git', ['describe', '--always', '--dirty'], { cwd: root, stdio }).toString().trim()
  } catch {
    // not a clone, or no git
  }
  return {
    node: process.version,
    onnxruntimeNode: require('onnxruntime-node/package.json').version,
    videoDepth: require('../package.json').version,
    commit,
  }
}

/** The mean of the two in the middle where there are two. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
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
