// Owns: running a test once for each set of kernels that this processor has.
// Must not know: what is tested.

import t, { type Test } from 'tap'
import { kernelsVariable } from '../../dist/esm/engine/cpu/choose-kernels.js'
import { thisProcessor } from '../../dist/esm/engine/cpu/processor.js'
import type { CpuKernels } from '../../dist/esm/native/cpu-types.js'

/** All kernels that this machine runs, fastest first; empty where the addon has none. */
export const kernels = thisProcessor().kernels

export const noKernels = 'the addon has no kernels for this processor'

/** With each of the kernels, which the test's child processes take, too; says so where there are none. */
export function testOnAll(name: string, body: (t: Test, kernels: CpuKernels) => Promise<void>): void {
  if (kernels.length === 0) void t.test(name, { skip: noKernels }, () => undefined)
  for (const set of kernels) {
    void t.test(`${name}, ${set}`, async (t) => {
      const before = process.env[kernelsVariable]
      process.env[kernelsVariable] = set
      try {
        await body(t, set)
      } finally {
        if (before === undefined) Reflect.deleteProperty(process.env, kernelsVariable)
        else process.env[kernelsVariable] = before
      }
    })
  }
}
