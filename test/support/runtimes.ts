// Owns: running a test once for each way in which the CPU engine computes here.
// Must not know: what is tested.

import t, { type Test } from 'tap'
import { kernelsVariable, runtimesOf, type CpuRuntime } from '../../dist/esm/engine/cpu/choose-kernels.js'
import { thisProcessor } from '../../dist/esm/engine/cpu/processor.js'

const [best, ...others] = runtimesOf(thisProcessor())

/** All kernels that this machine runs, fastest first; empty where the addon has none. */
export const kernels = [best, ...others].filter((runtime) => runtime !== 'onnxruntime')

export const noKernels = 'the addon has no kernels for this processor'

type Body = (t: Test, runtime: CpuRuntime) => Promise<void>

/** With the fastest kernels and with ONNX Runtime, which is also what the test's child processes take. */
export function testOnBoth(name: string, body: Body): void {
  testOn(name, kernels.slice(0, 1), body)
  testOn(name, ['onnxruntime'], body)
}

/** With all kernels and with ONNX Runtime. */
export function testOnAll(name: string, body: Body): void {
  testOn(name, kernels, body)
  testOn(name, ['onnxruntime'], body)
}

/** With these; says so where there are none. */
export function testOn(name: string, runtimes: readonly CpuRuntime[], body: Body): void {
  if (runtimes.length === 0) void t.test(`${name}, the addon's own kernels`, { skip: noKernels }, () => undefined)
  for (const runtime of runtimes) {
    void t.test(`${name}, ${runtime}`, async (t) => {
      const before = process.env[kernelsVariable]
      process.env[kernelsVariable] = runtime
      try {
        await body(t, runtime)
      } finally {
        if (before === undefined) Reflect.deleteProperty(process.env, kernelsVariable)
        else process.env[kernelsVariable] = before
      }
    })
  }
}
