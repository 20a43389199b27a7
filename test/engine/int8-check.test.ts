// Owns: tests of whether int8 may be used: the comparison with float32, its limit, what is remembered.
// Must not know: the addon's arithmetic.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { loadAddon } from '../../dist/esm/native/addon.js'
import { loadModel, type ModelOptions } from '../../dist/esm/engine/cpu/load-model.js'
import type { Preparation } from '../../dist/esm/engine/cpu/network.js'
import { calibrationClip, clipFrames, clipGrid } from '../../dist/esm/engine/cpu/quantization/calibration-clip.js'
import { checkedInt8, mostAbsRel, type Int8Figures } from '../../dist/esm/engine/cpu/quantization/int8-check.js'
import type { LoadProgress } from '../../dist/esm/engine/engine.js'
import type { RgbFrame } from '../../dist/esm/base/frame.js'
import { tinyPth } from '../support/checkpoint-files.js'
import { FakeNativeCpu } from '../support/native-cpu-fake.js'

/** What float32 and int8 give; which were loaded, in order; what is remembered. */
function fakes(fp32: readonly number[], int8: readonly number[], metric: boolean, stored?: Int8Figures) {
  const loaded: string[] = []
  const kept: Int8Figures[] = stored === undefined ? [] : [stored]
  const told: LoadProgress[] = []
  const options = {
    metric,
    record: {
      read: () => Promise.resolve(kept.at(-1)),
      write: (figures: Int8Figures) => Promise.resolve(void kept.push(figures)),
    },
    load: (precision: 'fp32' | 'int8') => {
      loaded.push(precision)
      return precision
    },
    release: (precision: 'fp32' | 'int8') => void loaded.push(`${precision} released`),
    depth: (model: 'fp32' | 'int8', onProgress: (fraction: number) => void) => {
      onProgress(0.5)
      return Promise.resolve([Float32Array.from(model === 'fp32' ? fp32 : int8)])
    },
    onProgress: (progress: LoadProgress) => void told.push(progress),
  }
  return { options, loaded, kept, told }
}

t.test('int8 that agrees is used, and its figures are remembered', async (t) => {
  // Another scale and shift of the same disparity.
  const { options, loaded, kept, told } = fakes([1, 2, 4], [1, 3, 7], false)
  const { model, check } = await checkedInt8(options)
  t.equal(model, 'int8')
  t.ok(check.absRel < 1e-12) // rounding of the fit
  t.equal(check.delta1, 1)
  t.same(loaded, ['fp32', 'fp32 released', 'int8'], 'one at a time')
  t.same(kept, [{ ...check, nonFinite: 0 }])
  t.same(told, [
    { phase: 'check', fraction: 0.25, detail: 'float32 on a short clip' },
    { phase: 'check', fraction: 0.75, detail: 'int8 on the same clip' },
  ])
  loaded.length = 0
  t.same((await checkedInt8(options)).check, check)
  t.same(loaded, ['int8'], 'float32 only the first time')
})

t.test('metric depth is not fitted', async (t) => {
  const { options } = fakes([1, 2, 3], [1.5, 3, 4.5], true)
  await t.rejects(checkedInt8(options), {
    code: 'QUANTIZATION_REFUSED',
    message:
      'Expected int8 to agree with float32 for this checkpoint, received other depth: AbsRel 50.00 % (at most 2.00 %), ' +
      '0.00 % within a factor of 1.25. Use precision fp32',
  })
})

t.test('the limit, and what is remembered of a refusal', async (t) => {
  for (const [error, passes] of [
    [mostAbsRel * 0.99, true],
    [mostAbsRel * 1.01, false],
  ] as const) {
    const { options, loaded } = fakes([1, 1], [1 + error, 1 + error], true)
    if (passes) await checkedInt8(options)
    else {
      await t.rejects(checkedInt8(options), { code: 'QUANTIZATION_REFUSED' })
      loaded.length = 0
      await t.rejects(checkedInt8(options), { code: 'QUANTIZATION_REFUSED' }, 'without computing again')
      t.same(loaded, [])
    }
  }
})

t.test('what is not finite', async (t) => {
  const { options, kept } = fakes([1, 2, 3, 4], [1, NaN, 3, Infinity], true)
  await t.rejects(checkedInt8(options), { code: 'QUANTIZATION_REFUSED', message: /2 values are not finite; otherwise/ })
  t.equal(kept[0]?.nonFinite, 2)
  const broken = fakes([1, NaN], [1, 1], false)
  await t.rejects(checkedInt8(broken.options), { code: 'DEPTH_NOT_FINITE', message: /gives 1 values/ })
  t.same(broken.kept, [], 'that says nothing of int8')
})

t.test('the clip: a window of frames with the shape of the network’s input, the same each time', async (t) => {
  const whole = async (): Promise<RgbFrame[]> => {
    const frames: RgbFrame[] = []
    for await (const frame of calibrationClip()) frames.push(frame)
    return frames
  }
  const [once, again] = [await whole(), await whole()]
  t.equal(once.length, clipFrames)
  t.ok(once.every(({ width, height }) => width * clipGrid.rows === height * clipGrid.cols))
  t.ok(once.every(({ data }, i) => Buffer.compare(data, again[i]?.data ?? new Uint8Array(0)) === 0))
  t.notOk(Buffer.compare(once[0]?.data ?? Buffer.of(), once[7]?.data ?? Buffer.of()) === 0, 'something moves')
})

const preparation = (onProgress: Preparation['onProgress'] = () => undefined): Preparation => ({
  signal: new AbortController().signal,
  onProgress,
})

function loading(t: Test, native: FakeNativeCpu, more: Partial<ModelOptions> = {}) {
  const options: ModelOptions = {
    ...{ checkpoint: tinyPth, cacheDir: t.testdirName, threads: 1, metric: true },
    ...{ precision: 'int8', kernels: 'avx2' },
    ...more,
  }
  const parts = { addon: loadAddon(), native }
  return (given = preparation()) => loadModel(options, parts, given)
}

t.test('a checkpoint is compared once for each kernels, and again where the record is damaged', async (t) => {
  t.testdir()
  const native = new FakeNativeCpu(['avx2'], 1.01)
  const precisions = (): string[] => native.models.splice(0).map(({ precision }) => precision)
  const load = loading(t, native)
  const { check, id, variant } = await load()
  t.ok((check?.absRel ?? 1) < mostAbsRel && (check?.absRel ?? 0) > 0, `${check?.absRel}`)
  t.equal(variant, 'avx2-int8-v3')
  t.match(id, /\.int8\.cpu-avx2-int8-v3$/)
  t.same(precisions(), ['fp32', 'int8'])
  t.same((await load()).check, check)
  t.same(precisions(), ['int8'])
  await loading(t, native, { kernels: 'avx-vnni' })()
  t.same(precisions(), ['fp32', 'int8'])
  const models = path.join(t.testdirName, 'models')
  const folder = path.join(models, readdirSync(models)[0] ?? '')
  const records = readdirSync(folder).filter((name) => name.startsWith('int8-check.'))
  t.equal(records.length, 2)
  for (const name of records) {
    t.match(JSON.parse(readFileSync(path.join(folder, name), 'utf8')), {
      figures: { nonFinite: 0 },
      key: { metric: true },
    })
    writeFileSync(path.join(folder, name), '{"figures":{"absRel":null}}')
  }
  await load()
  t.same(precisions(), ['fp32', 'int8'])
  const { check: none, variant: exact } = await loading(t, native, { precision: 'fp32' })()
  t.same([none, exact, precisions()], [undefined, 'avx2-fp32-v3', ['fp32']])
})

t.test('a checkpoint that int8 does not suit', async (t) => {
  t.testdir()
  await t.rejects(loading(t, new FakeNativeCpu(['avx2'], 2))(), { code: 'QUANTIZATION_REFUSED', message: /fp32/ })
})

t.test('an abort between two frames', async (t) => {
  t.testdir()
  const native = new FakeNativeCpu()
  const controller = new AbortController()
  const onProgress = ({ phase, fraction }: LoadProgress): void => {
    if (phase === 'check' && fraction > 0.1) controller.abort(new Error('enough'))
  }
  await t.rejects(loading(t, native)({ signal: controller.signal, onProgress }), { message: 'enough' })
  t.equal(native.models.length, 1)
})
