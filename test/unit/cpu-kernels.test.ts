// Owns: tests of what computes on a processor: the choice, its refusals, what a person is told of it.
// Must not know: how anything computes.

import t from 'tap'
import { arithmeticLines } from '../../dist/esm/cli/engine-text.js'
import { processorFinding } from '../../dist/esm/cli/doctor/doctor-processor.js'
import { chooseKernels, type Processor } from '../../dist/esm/engine/cpu/choose-kernels.js'

const modern: Processor = { kernels: ['avx512-vnni', 'avx2'], name: 'A Processor' }
const without: Processor = { kernels: [], name: 'A Processor' }

t.test('the fastest kernels, or what is forced', (t) => {
  for (const [forced, expected] of [
    [undefined, 'avx512-vnni'],
    ['', 'avx512-vnni'],
    ['avx2', 'avx2'],
  ] as const)
    t.equal(chooseKernels(modern, forced), expected)
  t.end()
})

t.test('what cannot be had is refused, and it is said what can', (t) => {
  t.throws(() => chooseKernels(modern, 'avx9'), {
    code: 'INVALID_OPTION',
    message: 'Expected one of avx512-vnni, avx2 (what this machine has) for VIDEO_DEPTH_CPU, received "avx9"',
  })
  t.throws(() => chooseKernels(without, 'avx2'), {
    code: 'ADDON_UNAVAILABLE',
    message:
      'The addon was built without kernels for processors (this one is A Processor), which need GCC or Clang. ' +
      'Build it with one of them',
  })
  t.end()
})

t.test('what doctor says', (t) => {
  const text = (processor: Processor, forced?: string): string => processorFinding(processor, forced).detail
  t.equal(text(modern), 'avx512-vnni kernels (float32, int8)')
  t.equal(text(modern, 'avx2'), 'avx2 kernels (float32, int8), by VIDEO_DEPTH_CPU')
  t.match(processorFinding(without, undefined), { ok: false, detail: /without kernels/, remedy: /build:addon/ })
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
