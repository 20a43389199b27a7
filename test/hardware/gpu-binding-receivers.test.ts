// Owns: the test that the classes of the addon's GPU part trust neither receivers nor arguments, on a double of the GPU.
// Must not know: what any of them does.

import t from 'tap'
import { doubleMissing, openDouble, SmallNetwork } from '../support/gpu-double.js'
import { checkClasses } from '../support/receivers.js'

if (doubleMissing !== false) void t.test('the GPU part on doubles', { skip: doubleMissing }, () => undefined)
else {
  t.setTimeout(240_000)

  t.test('classes of the GPU part refuse foreign receivers and survive nonsense', async (t) => {
    const network = new SmallNetwork(t.testdir())
    const engine = await openDouble()
    await checkClasses(t, {
      NativePlan: await network.plan(engine, 'encoder', 1),
      NativeGpuWindows: await network.windows(engine),
      NativeGpuStreams: await network.streams(engine, [1], 1),
      NativeGpuEngine: engine,
    })
  })
}
