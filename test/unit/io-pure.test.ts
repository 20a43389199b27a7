// Owns: tests of the input and output rules that need no file.
// Must not know: FFmpeg, image files.

import t from 'tap'
import { VideoDepthError } from '../../dist/esm/base/errors.js'
import { checkRange, rangeOf, RunningRange, type RangeRule } from '../../dist/esm/io/sinks/depth-range.js'
import { turnFor } from '../../dist/esm/io/sources/display-matrix.js'
import { palette, paletteNames } from '../../dist/esm/io/sinks/palettes.js'
import {
  checkSourceOptions,
  limitedSize,
  resolveSourceOptions,
  sourceDefaults,
  strideFor,
} from '../../dist/esm/io/sources/source-options.js'
import { Timeline } from '../../dist/esm/io/sources/timeline.js'
import { roundHalfEven } from '../../dist/esm/base/rounding.js'

t.test('the size limit follows upstream', (t) => {
  t.same(limitedSize(1920, 1080, 1280), { width: 1280, height: 720 })
  t.same(limitedSize(1280, 720, 1280), { width: 1280, height: 720 })
  t.same(limitedSize(1281, 719, 1280), { width: 1280, height: 718 })
  t.same(limitedSize(854, 480, 640), { width: 640, height: 360 })
  t.same(limitedSize(641, 361, 640), { width: 640, height: 360 }, '360.4 is rounded to 360')
  t.same(limitedSize(1000, 667, 500), { width: 500, height: 334 }, '333.5 is rounded to even')
  t.same(limitedSize(101, 57, undefined), { width: 101, height: 57 }, 'odd sizes are kept where nothing is scaled')
  t.same(limitedSize(5000, 1, 1000), { width: 1000, height: 2 }, 'no side vanishes')
  t.end()
})

t.test('the frame-rate reduction follows upstream', (t) => {
  const stride = (rate: number, targetFps: number): number => strideFor(rate, resolveSourceOptions({ targetFps }))
  t.equal(stride(30, -1), 1)
  t.equal(stride(30, 15), 2)
  t.equal(stride(25, 10), 2, 'round(2.5) is 2, as in Python')
  t.equal(stride(24, 60), 1)
  t.throws(() => strideFor(undefined, resolveSourceOptions({ targetFps: 10 })), { code: 'INVALID_OPTION' })
  t.end()
})

t.test('options outside their range are refused', (t) => {
  for (const options of [
    { maxRes: 0 },
    { maxRes: 1.5 },
    { maxRes: 65_537 },
    { maxRes: null as unknown as number },
    { maxLen: 0 },
    { maxLen: -2 },
    { targetFps: 0 },
    { targetFps: NaN },
    { signal: 5 as unknown as AbortSignal },
  ]) {
    t.throws(() => checkSourceOptions(options), { code: 'INVALID_OPTION' }, JSON.stringify(options))
    t.throws(() => resolveSourceOptions(options), { code: 'INVALID_OPTION' }, JSON.stringify(options))
  }
  const messages = [
    [{ maxRes: 0 }, 'Expected a whole number from 2 to 65536, or −1, for maxRes, received 0'],
    [{ maxLen: 0 }, 'Expected a whole number from 1, or −1, for maxLen, received 0'],
    [{ targetFps: 0 }, 'Expected a number above 0, or −1, for targetFps, received 0'],
    [{ signal: 5 as unknown as AbortSignal }, 'Expected an AbortSignal for signal, received 5'],
  ] as const
  for (const [options, message] of messages) t.throws(() => checkSourceOptions(options), { message })
  checkSourceOptions({ maxRes: 65_536, maxLen: Number.MAX_SAFE_INTEGER, targetFps: 0.1 })
  checkSourceOptions(sourceDefaults)
  t.match(resolveSourceOptions({}), { maxRes: 1280, maxLen: undefined, targetFps: undefined })
  t.end()
})

t.test('halves are rounded to the even neighbour', (t) => {
  t.same(
    [0.5, 1.5, 2.5, 2.4, 2.6, -0.5, -1.5, -2.5].map(roundHalfEven).map((value) => value + 0),
    [0, 2, 2, 2, 3, 0, -2, -2],
  )
  t.end()
})

t.test('times start at 0, keep gaps, fill holes and never go back', (t) => {
  const run = (times: readonly (number | undefined)[]): number[] => {
    const timeline = new Timeline({ intervalMs: 40 })
    return times.map((time) => timeline.next(time))
  }
  t.same(run([500, 540, 700]), [0, 40, 200])
  t.same(run([undefined, undefined, 100, undefined]), [0, 40, 80, 120])
  t.same(run([0, 40, 40, 80]), [0, 40, 40.1, 80])
  t.same(run([0, 40, 20, 80]), [0, 40, 40.1, 80])
  t.same(run([90_000, 90_040, 0, 40, 80]), [0, 40, 80, 120, 160], 'a new time base continues')
  t.end()
})

t.test('display matrices', (t) => {
  const one = 1 << 16
  const steps = (a: number, b: number, c: number, d: number): string =>
    turnFor(new Uint8Array(Int32Array.of(a, b, 0, c, d, 0, 0, 0, 1 << 30).buffer))
      .steps.map(({ filter, args }) => `${filter}${args}`)
      .join()
  t.equal(steps(one, 0, 0, one), '')
  t.equal(steps(0, one, -one, 0), 'transposedir=clock')
  t.equal(steps(-one, 0, 0, -one), 'hflip,vflip')
  t.equal(steps(0, -one, one, 0), 'transposedir=cclock')
  t.equal(steps(-one, 0, 0, one), 'hflip')
  t.equal(steps(one, 0, 0, -one), 'vflip')
  t.equal(steps(0, one, one, 0), 'transposedir=cclock_flip')
  t.equal(steps(0, -one, -one, 0), 'transposedir=clock_flip')
  t.equal(steps(46341, 46341, -46341, 46341), '', 'an eighth of a turn is none')
  t.equal(turnFor(null).sideways, false)
  t.equal(turnFor(new Uint8Array(4)).sideways, false)
  t.end()
})

t.test('the range of a frame is found in slices', async (t) => {
  t.same(await rangeOf(Float32Array.from({ length: 400_000 }, (_, i) => i - 7)), { min: -7, max: 399_992 })
})

t.test('the running range widens at once and forgets slowly', (t) => {
  const running = new RunningRange()
  t.same(running.next({ min: 1, max: 2 }, 0), { min: 1, max: 2 })
  t.same(running.next({ min: 0, max: 5 }, 40), { min: 0, max: 5 })
  const after = running.next({ min: 1, max: 2 }, 2040)
  t.ok(Math.abs(after.max - (2 + 3 * Math.exp(-1))) < 1e-12)
  t.ok(Math.abs(after.min - (1 - Math.exp(-1))) < 1e-12)
  for (const range of [{ min: 1, max: 1 }, { min: NaN, max: 1 }, 'other'])
    t.throws(() => checkRange(range as RangeRule), { code: 'INVALID_OPTION' })
  t.end()
})

t.test('palettes have 256 colours and the known ends', (t) => {
  for (const name of paletteNames) t.equal(palette(name).length, 768, name)
  t.same([...palette('inferno').subarray(0, 3)], [0, 0, 3])
  t.same([...palette('inferno').subarray(765)], [252, 254, 164])
  t.same([...palette('viridis').subarray(765)], [253, 231, 36])
  t.same([...palette('gray').subarray(381, 384)], [127, 127, 127])
  t.throws(() => palette('toString' as 'gray'), VideoDepthError)
  t.end()
})
