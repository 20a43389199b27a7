// Owns: tests that depth is scored as Video Depth Anything's own evaluation code scores it.
// Must not know: files, the command line.

import t, { type Test } from 'tap'
import { DepthEvaluation, evaluateFrames } from '../../dist/esm/evaluate/depth-evaluation.js'
import { scoreNames } from '../../dist/esm/evaluate/depth-scores.js'
import { protocolNamed } from '../../dist/esm/evaluate/protocols.js'
import { TemporalAlignmentError } from '../../dist/esm/evaluate/temporal-alignment.js'
import { sceneIntrinsics, sceneVideo, type SceneOptions } from '../support/evaluation-scene.js'

// Every number that is expected here was computed by upstream's benchmark/eval (NumPy, OpenCV 5, PyTorch) from these scenes.

/** Upstream counts δ in float32 and scales predictions by OpenCV, whose last bits differ: both below 1e-7. */
const tolerance = 1e-6

const shownCrop = [11, 8, 74, 44] as const
const wide = [96, 60] as const

type Expected = readonly number[]

const videos: readonly [protocol: 'kitti' | 'scannet', name: string, scene: SceneOptions, expected: Expected][] = [
  [
    'kitti',
    'predictions smaller than the truth',
    { seed: 1, frames: 6, truthSize: wide, predictionSize: [70, 42] },
    [
      0.0313136170398, 0.0898399941069, 1.95203903667, 0.0694553079576, 0.0137608448079, 6.69882681094, 0.0115531634165,
      0.986696720123, 0.997487485409, 0.998551905155,
    ],
  ],
  [
    'kitti',
    'a frame without truth',
    { seed: 2, frames: 5, truthSize: wide, predictionSize: wide, blindFrame: 2 },
    [
      0.0639685345886, 0.290450045508, 3.56336120336, 0.0959222887255, 0.0278603022014, 9.42639586808, 0.00672959596551,
      0.963955163956, 0.993942320347, 0.99963259697,
    ],
  ],
  [
    'kitti',
    'predictions twice the size',
    { seed: 3, frames: 4, truthSize: [64, 80], predictionSize: [128, 160] },
    [
      0.024705168121, 0.0709080862836, 1.30631568957, 0.0689711486124, 0.010378243817, 6.9966416323, 0.0090722320038,
      0.987253904343, 0.992202222347, 0.998014807701,
    ],
  ],
  [
    'scannet',
    'predictions of the cropped frame, smaller',
    { seed: 4, frames: 6, truthSize: wide, predictionSize: [70, 42], shown: shownCrop },
    [
      0.0308385739626, 0.0120024983452, 0.31395949312, 0.0382687554736, 0.0135887303057, 3.53330975633, 0.004962982511,
      1.0, 1.0, 1.0,
    ],
  ],
  [
    'scannet',
    'predictions of the cropped frame',
    { seed: 5, frames: 7, truthSize: wide, predictionSize: [74, 44], shown: shownCrop },
    [
      0.0300113964399, 0.00792869728194, 0.227565445553, 0.0361039480076, 0.0130505500355, 3.5842405016,
      0.00626779901233, 1.0, 1.0, 1.0,
    ],
  ],
]

for (const [protocol, name, scene, expected] of videos) {
  t.test(`${protocol}: ${name}`, (t) => {
    const { crop, maxDepth } = protocolNamed(protocol)
    const result = evaluateFrames(sceneVideo(scene), { crop, maxDepth: maxDepth! })
    scoreNames.forEach((score, i) => near(t, result[score], expected[i]!, score))
    t.end()
  })
}

const scene6: SceneOptions = { seed: 6, frames: 15, truthSize: wide, predictionSize: wide }
const scene7: SceneOptions = { seed: 7, frames: 14, truthSize: wide, predictionSize: [140, 100] }

const tae: readonly [maxDepth: number, from: number, scene: SceneOptions, expected: number][] = [
  [10, 0, scene6, 3.29094419354],
  [10, 0, scene7, 2.13201886032],
  [10, 10, scene6, 1.05986701395],
  [10, 10, scene7, 2.03430488938],
  [80, 0, scene6, 7.99523615501],
  [80, 0, scene7, 7.27719249831],
  [80, 10, scene6, 1.05986701395],
  [80, 10, scene7, 6.14920634089],
]

for (const [maxDepth, from, scene, expected] of tae) {
  t.test(`temporal alignment error, depth to ${maxDepth} m, from frame ${from}, seed ${scene.seed}`, (t) => {
    const { crop } = protocolNamed('scannet_tae')
    const frames = sceneVideo(scene).slice(from)
    const evaluation = new DepthEvaluation({ crop, maxDepth, cropPrediction: true })
    for (const frame of frames) evaluation.observe(frame)
    const error = new TemporalAlignmentError()
    const intrinsics = sceneIntrinsics(scene.truthSize)
    for (const frame of frames) error.add({ ...evaluation.add(frame), pose: frame.pose, intrinsics })
    near(t, error.result().tae, expected, 'tae')
    t.equal(error.result().perPair.length, frames.length - 1)
    t.end()
  })
}

function near(t: Test, value: number, expected: number, name: string): void {
  t.ok(Math.abs(value - expected) <= tolerance * Math.abs(expected), `${name}: ${value}, expected ${expected}`)
}
