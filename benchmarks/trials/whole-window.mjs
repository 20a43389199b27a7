// Owns: the baseline: ONNX Runtime on whole windows of 32 frames without reuse, upstream's schedule. Prints one JSON object.
// Must not know: other trials. Arguments: JSON { checkpoint, video, inputSize, threads }.

import { InferenceSession, Tensor } from 'onnxruntime-node'
import { networkInputSize } from 'video-depth'
import { loadAddon } from '#lib/binding.js'
import { prepareGraphs } from '#lib/graph/prepare-graphs.js'
import { prepareWeights } from '#lib/graph/prepare-weights.js'
import { openVideo } from '#lib/io/video-source.js'
import { resolvePicture } from '#lib/pixel-format.js'

const { checkpoint, video, inputSize, threads } = JSON.parse(process.argv[2])
const addon = loadAddon()
const frames = []
for await (const frame of await openVideo(video)) frames.push(frame)
const { width: frameWidth, height: frameHeight } = frames[0]
const { width, height } = networkInputSize(frameWidth, frameHeight, inputSize)
const length = 32
const shape = { rows: height / 14, cols: width / 14, windowLength: length, encoderBatch: length, decoderBatch: length }
const graphs = await prepareGraphs(await prepareWeights({ checkpoint, precision: 'fp32' }), shape)
const options = { intraOpNumThreads: threads, interOpNumThreads: 1, graphOptimizationLevel: 'all', logSeverityLevel: 3 }
const [encoder, head, decoder] = await Promise.all(
  [graphs.encoder, graphs.temporalHead, graphs.depthDecoder].map((path) => InferenceSession.create(path, options)),
)
const seconds = { preprocess: 0, encode: 0, temporalHead: 0, depthDecoder: 0 }
const timed = async (phase, work) => {
  const started = performance.now()
  const result = await work()
  seconds[phase] += (performance.now() - started) / 1000
  return result
}
const pixels = new Float32Array(length * 3 * width * height)
const started = performance.now()
let windows = 0
let sum = 0
for (let start = 0; start < frames.length; start += 22, windows++) {
  await timed('preprocess', () => {
    for (let i = 0; i < length; i++) {
      const picture = resolvePicture(frames[Math.min(start + i, frames.length - 1)], 'frame')
      const target = pixels.subarray(i * 3 * width * height, (i + 1) * 3 * width * height)
      addon.preprocess(picture, target, width, height, threads)
    }
  })
  const layers = await timed('encode', () =>
    encoder.run({ pixels: new Tensor('float32', pixels, [length, 3, height, width]) }),
  )
  const { layer1, layer2, layer3, layer4 } = layers
  const { path3 } = await timed('temporalHead', () => head.run({ layer3, layer4 }))
  const { depth } = await timed('depthDecoder', () => decoder.run({ path3, layer1, layer2 }))
  sum += depth.data[depth.data.length >> 1]
}
const total = (performance.now() - started) / 1000
if (!Number.isFinite(sum) || sum === 0) throw new Error(`the depth is not plausible: ${sum}`)
const result = {
  frames: frames.length,
  windows,
  seconds: { total, ...seconds },
  peakMemoryMiB: process.resourceUsage().maxRSS / 1024,
}
process.stdout.write(`${JSON.stringify(result)}\n`)
