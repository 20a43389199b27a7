// Owns: the baseline: upstream's schedule on ONNX Runtime, whole windows of 32 frames without reuse. Prints one JSON object.
// Must not know: other trials. Arguments: JSON { checkpoint, clip, inputSize, threads, prepareOnly }.

import { InferenceSession, Tensor } from 'onnxruntime-node'
import { networkInputSize } from 'video-depth'
import { loadAddon } from '../../dist/esm/native/addon.js'
import { prepareGraphs } from '../../dist/esm/prepare/graph/prepare-graphs.js'
import { prepareWeights } from '../../dist/esm/prepare/graph/prepare-weights.js'
import { openVideo } from '../../dist/esm/io/sources/video-source.js'
import { resolvePicture } from '../../dist/esm/base/pixel-format.js'
import { planWindow, windowCount } from '../../dist/esm/plan/window-plan.js'
import { windowStrategy } from '../../dist/esm/plan/strategy.js'
import { lastFullWindow, MemoryPhases, print, ProcessorUse, seconds } from '../measure.mjs'

const { checkpoint, clip, inputSize, threads, prepareOnly } = JSON.parse(process.argv[2])
const length = 32
const memory = new MemoryPhases('load')
const phases = { preprocess: 0, encode: 0, temporalHead: 0, depthDecoder: 0 }
const addon = loadAddon()
const frames = []
for await (const frame of await openVideo(clip)) frames.push(frame)
const { width, height } = networkInputSize(frames[0].width, frames[0].height, inputSize)

const loading = performance.now()
// One frame a run is faster than 32: attention and the decoder's maps then fit into caches.
const shape = { rows: height / 14, cols: width / 14, windowLength: length, encoderBatch: 1, decoderBatch: 1 }
const graphs = await prepareGraphs(await prepareWeights({ checkpoint, precision: 'fp32' }), shape)

/** A loaded graph, its phase, and where its inputs and outputs lie. */
class Graph {
  static async load(name) {
    const session = await InferenceSession.create(graphs[name], {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      graphOptimizationLevel: 'all',
      enableMemPattern: false, // as lib/engine/ort.ts
      logSeverityLevel: 3,
    })
    return Object.assign(new Graph(), { name, session, ports: graphs.ports[name] })
  }

  /** @param arrays of every input and output, by name */
  async run(arrays) {
    const tensors = (ports) =>
      Object.fromEntries(Object.entries(ports).map(([name, dims]) => [name, new Tensor('float32', arrays[name], dims)]))
    await timed(this.name === 'encoder' ? 'encode' : this.name, () =>
      this.session.run(tensors(this.ports.inputs), tensors(this.ports.outputs)),
    )
  }

  floats(port) {
    const dims = this.ports.inputs[port] ?? this.ports.outputs[port]
    return new Float32Array(dims.reduce((a, b) => a * b, 1))
  }
}

const encoder = await Graph.load('encoder')
const head = await Graph.load('temporalHead')
const decoder = await Graph.load('depthDecoder')
const load = seconds(loading)
print(prepareOnly ? {} : await measure())

async function measure() {
  memory.enter('firstWindow')
  const buffers = windowBuffers()
  const strategy = windowStrategy('upstream', length)
  const windows = windowCount(strategy, frames.length)
  const ends = []
  let use
  let checked = 0
  const began = performance.now()
  for (let index = 0; index < windows; index++) {
    checked += await computeWindow(planWindow(strategy, index, frames.length, true).frames, buffers)
    ends.push(performance.now())
    if (index > 0) continue
    memory.enter('steady')
    use = new ProcessorUse()
  }
  const processor = use.result()
  const last = lastFullWindow(frames.length)
  if (!Number.isFinite(checked) || checked === 0) throw new Error(`the depth is not plausible: ${checked}`)
  return {
    frames: frames.length,
    start: { load, firstDepth: load + (ends[0] - began) / 1000 },
    steady: { seconds: (ends[last] - ends[0]) / 1000, frames: last * strategy.step },
    windowSeconds: ends.slice(1, last + 1).map((end, i) => (end - ends[i]) / 1000),
    seconds: { total: (ends.at(-1) - began) / 1000, ...phases },
    processor,
    ...memory.finish(),
  }
}

/** A window's features: those that the head reads lie together, and the frames have parts of them. */
function windowBuffers() {
  const [layer3, layer4, path3] = ['layer3', 'layer4', 'path3'].map((name) => head.floats(name))
  const features = Array.from({ length }, (_, i) => ({
    layer1: encoder.floats('layer1'),
    layer2: encoder.floats('layer2'),
    layer3: part(layer3, i),
    layer4: part(layer4, i),
    path3: part(path3, i),
  }))
  return { pixels: encoder.floats('pixels'), depth: decoder.floats('depth'), layer3, layer4, path3, features }
}

/** @returns a sum of some of the depth */
async function computeWindow(seen, { pixels, depth, features, ...window }) {
  for (const [i, frame] of seen.entries()) {
    const picture = resolvePicture(frames[frame], 'frame')
    await timed('preprocess', () => addon.preprocess(picture, pixels, width, height, threads))
    await encoder.run({ pixels, ...features[i] })
  }
  await head.run(window)
  let sum = 0
  for (const frame of features) {
    await decoder.run({ ...frame, depth })
    sum += depth[depth.length >> 1]
  }
  return sum
}

/** Position i's part of what holds a whole window. */
function part(all, i) {
  const size = all.length / length
  return all.subarray(i * size, (i + 1) * size)
}

async function timed(phase, work) {
  const before = performance.now()
  await work()
  phases[phase] += seconds(before)
  memory.sample() // ONNX Runtime blocks the event loop
}
