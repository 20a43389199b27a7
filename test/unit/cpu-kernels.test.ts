// Owns: tests of what computes on a processor: the choice, its refusals, what a person is told of it.
// Must not know: how anything computes.

import t from 'tap'
import { arithmeticLines } from '../../dist/esm/cli/engine-text.js'
import { processorFinding } from '../../dist/esm/cli/doctor/doctor-processor.js'
import { chooseKernels, type CpuPrecision, type Processor } from '../../dist/esm/engine/cpu/choose-kernels.js'

const modern: Processor = { kernels: ['avx512-vnni', 'avx2'], name: 'A Processor' }
const old: Processor = { kernels: [], name: 'An Old One' }

t.test('the fastest kernels, or ONNX Runtime, or what is forced', (t) => {
  const cases: readonly [Processor, CpuPrecision, string | undefined, string][] = [
    [modern, 'fp32', undefined, 'avx512-vnni'],
    [modern, 'int8', undefined, 'avx512-vnni'],
    [modern, 'fp32', '', 'avx512-vnni'],
    [modern, 'fp32', 'avx2', 'avx2'],
    [modern, 'int8', 'avx2', 'avx2'],
    [modern, 'fp32', 'onnxruntime', 'onnxruntime'],
    [old, 'fp32', undefined, 'onnxruntime'],
    [old, 'fp32', 'onnxruntime', 'onnxruntime'],
  ]
  for (const [processor, precision, forced, expected] of cases)
    t.equal(chooseKernels(processor, precision, forced), expected, `${processor.name}, ${precision}, ${forced}`)
  t.end()
})

t.test('what cannot be had is refused, and it is said what can', (t) => {
  t.throws(() => chooseKernels(modern, 'fp32', 'avx9'), {
    code: 'INVALID_OPTION',
    message:
      'Expected one of avx512-vnni, avx2, onnxruntime (what this machine has) for VIDEO_DEPTH_CPU, received "avx9"',
  })
  t.throws(() => chooseKernels(old, 'fp32', 'avx2'), {
    code: 'INVALID_OPTION',
    message: 'Expected one of onnxruntime (what this machine has) for VIDEO_DEPTH_CPU, received "avx2"',
  })
  t.throws(() => chooseKernels(modern, 'int8', 'onnxruntime'), {
    code: 'INVALID_OPTION',
    message: "precision 'int8' has no effect with VIDEO_DEPTH_CPU=onnxruntime: remove one of them",
  })
  t.throws(() => chooseKernels(old, 'int8', undefined), {
    code: 'PRECISION_UNAVAILABLE',
    message:
      'Expected fp32 for precision, received "int8": int8 needs the addon\'s own kernels, which this build of ' +
      'it does not have (processor: An Old One). Use precision fp32',
  })
  t.end()
})

t.test('what doctor says', (t) => {
  const text = (processor: Processor, forced?: string): string => processorFinding(processor, forced).detail
  t.equal(text(modern), 'avx512-vnni kernels (float32, int8)')
  t.equal(text(modern, 'avx2'), 'avx2 kernels (float32, int8), by VIDEO_DEPTH_CPU')
  t.equal(text(modern, 'onnxruntime'), 'ONNX Runtime, as VIDEO_DEPTH_CPU says')
  t.equal(text(old), 'ONNX Runtime, as the addon was built without kernels for processors')
  t.match(processorFinding(modern, 'avx9'), { ok: false, detail: /avx9/, remedy: 'unset VIDEO_DEPTH_CPU' })
  t.end()
})

t.test('what a person is told of int8', (t) => {
  const info = { backend: 'cpu', kernels: 'avx2', fallback: undefined, gpu: undefined, plans: [] } as const
  t.same(arithmeticLines({ ...info, precision: 'fp32', check: undefined }), [])
  t.same(arithmeticLines({ ...info, precision: 'int8', check: { absRel: 0.0123, delta1: 0.9987 } }), [
    'int8 with avx2 kernels, against float32: AbsRel 1.23 %, within a factor of 1.25 99.87 %',
  ])
  t.end()
})
