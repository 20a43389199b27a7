// Owns: what a prediction of a rendered sequence is worth: scores, steadiness, the two baselines.
// Must not know: how the prediction came about.

import { evaluateFrames } from '#lib/evaluate/depth-evaluation.js'
import { temporalAlignmentError } from '#lib/evaluate/temporal-alignment.js'

/** Metres; KITTI's cap. What is farther away, and the sky, does not count. */
const maxDepth = 80

const planeOf = ({ width, height }, data) => ({ data, width, height })
const pairsOf = (frames, maps) =>
  maps.map((map, i) => ({ prediction: planeOf(frames[i], map), truth: planeOf(frames[i], frames[i].depth) }))

/**
 * AbsRel and δ1 after one scale and shift in disparity for the whole video; TAE (per cent) of the aligned depth over points
 * at rest; `perFrame` AbsRel.
 */
export function score(frames, maps) {
  const pairs = pairsOf(frames, maps)
  const result = evaluateFrames(pairs, { maxDepth })
  const { scale, shift } = result.fit
  const depth = maps.map((map) => Float32Array.from(map, (v) => 1 / Math.max(scale * v + shift, 1 / maxDepth)))
  return {
    absRel: result.absRel,
    delta1: result.delta1,
    rmse: result.rmse,
    tae: tae(frames, depth),
    perFrame: result.perFrame.map((frame) => frame.absRel),
    fit: { scale, shift },
  }
}

function tae(frames, depth) {
  const posed = frames.map((frame, i) => ({
    depth: depth[i],
    width: frame.width,
    height: frame.height,
    pose: [0, 4, 8, 12].map((row) => [...frame.pose.subarray(row, row + 4)]),
    intrinsics: frame.intrinsics,
    mask: Uint8Array.from(frame.depth, (z, p) => (z < maxDepth && frame.moving[p] === 0 ? 1 : 0)),
  }))
  return temporalAlignmentError(posed).tae
}

/** What the truth itself scores: pixels are compared with the nearest one, and moving things hide others. */
export const truthTae = (frames) =>
  tae(
    frames,
    frames.map(({ depth }) => Float32Array.from(depth, (z) => Math.min(z, maxDepth))),
  )

/** The one depth for all pixels of all frames that has the least AbsRel: the median, weighted with 1/depth. */
export function constantBaseline(frames) {
  const values = sampled(frames).map(({ z }) => z)
  values.sort((a, b) => a - b)
  const half = values.reduce((sum, z) => sum + 1 / z, 0) / 2
  let sum = 0
  const best = values.find((z) => (sum += 1 / z) >= half)
  return scoreMetric(frames, new Float32Array(frames[0].width * frames[0].height).fill(best))
}

/** The best plane over the picture, disparity = a + b·u + c·v by least squares for the whole video: it knows the truth. */
export function rampBaseline(frames) {
  const rows = sampled(frames).map(({ u, v, z }) => ({ x: [1, u, v], y: 1 / z }))
  const [a, b, c] = leastSquares(rows)
  const { width, height } = frames[0]
  const map = new Float32Array(width * height)
  for (let p = 0; p < map.length; p++) {
    const disparity = a + (b * (p % width)) / width + (c * Math.floor(p / width)) / height
    map[p] = 1 / Math.max(disparity, 1 / maxDepth)
  }
  return scoreMetric(frames, map)
}

/** The same depth map for every frame, as it is. */
function scoreMetric(frames, map) {
  const options = { kind: 'metric', alignment: 'none', maxDepth }
  const { absRel, delta1 } = evaluateFrames(
    pairsOf(
      frames,
      frames.map(() => map),
    ),
    options,
  )
  return { absRel, delta1 }
}

/** Every 37th pixel that counts. */
function sampled(frames) {
  const points = []
  for (const { depth, width, height } of frames) {
    for (let p = 0; p < depth.length; p += 37) {
      if (depth[p] < maxDepth) points.push({ u: (p % width) / width, v: Math.floor(p / width) / height, z: depth[p] })
    }
  }
  return points
}

/** Three unknowns, by the normal equations. */
function leastSquares(rows) {
  const m = Array.from({ length: 3 }, () => new Array(4).fill(0))
  for (const { x, y } of rows) {
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) m[i][j] += x[i] * x[j]
      m[i][3] += x[i] * y
    }
  }
  for (let i = 0; i < 3; i++) {
    for (let k = i + 1; k < 3; k++) {
      const factor = m[k][i] / m[i][i]
      for (let j = i; j < 4; j++) m[k][j] -= factor * m[i][j]
    }
  }
  const found = [0, 0, 0]
  for (let i = 2; i >= 0; i--) {
    const rest = m[i].slice(i + 1, 3).reduce((sum, value, j) => sum + value * found[i + 1 + j], 0)
    found[i] = (m[i][3] - rest) / m[i][i]
  }
  return found
}

export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length
