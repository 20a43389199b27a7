// Owns: tests of the size that frames are resized to, against upstream's rule worked out by hand.
// Must not know: pixels.

import t from 'tap'
import { networkInputSize } from '../../dist/esm/prepare/checkpoint/input-size.js'

t.test('upstream’s rule', (t) => {
  const cases: [number, number, number, number, number][] = [
    [1920, 1080, 518, 924, 518], // 920.9 → 65.8 patches
    [1080, 1920, 518, 518, 924],
    [640, 480, 518, 686, 518],
    [518, 518, 518, 518, 518],
    [128, 48, 70, 112, 42], // 2.67:1: int(46.6) → 3.3 patches
    [2560, 1080, 518, 924, 392], // 2.37:1: int(388.3) → 27.7 patches
  ]
  for (const [frameWidth, frameHeight, inputSize, width, height] of cases) {
    t.same(networkInputSize(frameWidth, frameHeight, inputSize), { width, height }, `${frameWidth}×${frameHeight}`)
  }
  t.end()
})

t.test('frames too elongated for one patch say which input size would do', (t) => {
  for (const [width, height, inputSize, needed] of [
    [640, 2, 28, 1441],
    [2, 640, 28, 1441],
    [1000, 100, 14, 46],
  ] as const) {
    t.throws(() => networkInputSize(width, height, inputSize), {
      code: 'FRAME_INVALID',
      message: `Frames of ${width}×${height} are too elongated (${(Math.max(width, height) / Math.min(width, height)).toFixed(1)}:1) for an input size of ${inputSize}: crop them, or set inputSize to ${needed} or more`,
    })
    t.throws(() => networkInputSize(width, height, needed - 1), { code: 'FRAME_INVALID' })
    const found = networkInputSize(width, height, needed)
    t.ok(found.width >= 14 && found.height >= 14 && found.width % 14 === 0 && found.height % 14 === 0)
  }
  t.end()
})

t.test('frames of any size are answered at once', (t) => {
  for (const [width, height] of [
    [1, 2 ** 53],
    [2 ** 53, 1],
    [3, Number.MAX_SAFE_INTEGER],
  ] as const) {
    t.throws(() => networkInputSize(width, height, 518), { code: 'FRAME_INVALID', message: /set inputSize to \d/ })
  }
  t.end()
})
