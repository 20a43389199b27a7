// Owns: tests of rendered sequences: truth that agrees with itself from frame to frame, seeds, kinds, cuts.
// Must not know: the pipeline.

import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import { sceneKinds } from '../../dist-tools/scenes/kinds.js'
import { exactDisparity, type RenderedFrame } from '../../dist-tools/scenes/rendered-frame.js'
import { renderClip, renderSequence } from '../../dist-tools/scenes/sequence.js'

const view = { width: 160, height: 120, frameRate: 5 }
const names = sceneKinds().map(({ name }) => name)

/** The point of the world that pixel `i` shows. */
function toWorld({ pose, depth, width, intrinsics: { fx, fy, cx, cy } }: RenderedFrame, i: number): number[] {
  const z = depth[i]!
  const point = [(((i % width) - cx) / fx) * z, ((Math.floor(i / width) - cy) / fy) * z, z, 1]
  return [0, 4, 8].map((row) => point.reduce((sum, value, k) => sum + value * pose[row + k]!, 0))
}

/** The same point in another frame's camera. */
function toCamera({ pose }: RenderedFrame, world: number[]): [number, number, number] {
  const along = (axis: number): number =>
    world.reduce((sum, value, k) => sum + (value - pose[4 * k + 3]!) * pose[4 * k + axis]!, 0)
  return [along(0), along(1), along(2)]
}

/** A hash of everything in a frame. */
function digest({ data, depth, bodies, pose, flow }: RenderedFrame): string {
  const hash = createHash('sha256')
  for (const array of [data, depth, bodies, pose, flow ?? new Float32Array()]) hash.update(array)
  return hash.digest('hex')
}

/** How many points of bodies at rest both frames show, and how many of them lie where the pose says. */
function compare(first: RenderedFrame, second: RenderedFrame): { seen: number; agreeing: number } {
  const { fx, fy, cx, cy } = second.intrinsics
  let seen = 0
  let agreeing = 0
  for (let i = 0; i < first.depth.length; i++) {
    const body = first.bodies[i]!
    if (body === 0 || first.moving[i] === 1) continue
    const [x, y, z] = toCamera(second, toWorld(first, i))
    const [u, v] = [Math.round((fx * x) / z + cx), Math.round((fy * y) / z + cy)]
    if (z <= 0 || u < 1 || v < 1 || u >= second.width - 1 || v >= second.height - 1) continue
    const at = v * second.width + u
    const around = [at - 1, at, at + 1, at - second.width, at + second.width]
    if (around.some((k) => second.bodies[k] !== body)) continue
    const depths = around.map((k) => second.depth[k]!)
    seen++
    if (z > Math.min(...depths) * 0.995 && z < Math.max(...depths) * 1.005) agreeing++
  }
  return { seen, agreeing }
}

for (const kind of names) {
  t.test(`${kind}: points at rest agree between two frames, and flow leads to where they are`, async (t) => {
    let [seen, agreeing, flows] = [0, 0, 0]
    for (const seed of [1, 2, 3]) {
      const [first, second] = await renderClip({ ...view, kind, seed, frames: 2, flow: true })
      if (first === undefined || second === undefined) return t.fail('two frames')
      const found = compare(first, second)
      seen += found.seen
      agreeing += found.agreeing
      flows += checkFlow(t, first, second)
      t.ok(Math.abs(determinant(first.pose) - 1) < 1e-5, 'the pose is a rotation')
      t.notOk(first.depth.some((z) => Number.isNaN(z) || z < 0.05))
    }
    t.ok(seen > 3000, `${seen} points are seen twice`)
    t.ok(agreeing / seen > 0.99, `${agreeing} of ${seen} points agree`)
    t.ok(flows > 1000)
  })
}

/** At rest, flow is the pose's and the depth's; how many points were compared. */
function checkFlow(t: Test, first: RenderedFrame, second: RenderedFrame): number {
  const { fx, fy, cx, cy } = second.intrinsics
  let [count, worst] = [0, 0]
  for (let i = 0; i < first.depth.length; i += 7) {
    const [du, dv] = [first.flow![2 * i]!, first.flow![2 * i + 1]!]
    if (first.bodies[i] === 0) {
      if (!Number.isNaN(du)) t.fail('the sky has no flow')
      continue
    }
    const [x, y, z] = toCamera(second, toWorld(first, i))
    if (first.moving[i] === 1 || z < 0.3) continue
    const [u, v] = [(fx * x) / z + cx - (i % first.width), (fy * y) / z + cy - Math.floor(i / first.width)]
    worst = Math.max(worst, Math.abs(u - du), Math.abs(v - dv))
    count++
  }
  t.ok(worst < 1e-3, `flow and pose differ by ${worst.toExponential(1)} pixels at most`)
  return count
}

function determinant(pose: Float64Array): number {
  const at = (row: number, column: number): number => pose[4 * row + column]!
  const minor = (a: number, b: number): number => at(1, a) * at(2, b) - at(1, b) * at(2, a)
  return at(0, 0) * minor(1, 2) - at(0, 1) * minor(0, 2) + at(0, 2) * minor(0, 1)
}

t.test('a seed always gives the same clip, another seed another one', async (t) => {
  const clip = (seed: number) => renderClip({ seed, frames: 3, frameRate: 10, width: 48, height: 32, noise: 3 })
  const [once, again, other] = [await clip(7), await clip(7), await clip(8)]
  t.same(once.map(digest), again.map(digest))
  t.not(digest(once[0]!), digest(other[0]!))
  t.not(digest(once[0]!), digest(once[2]!), 'something moves')
  t.same(
    once.map(({ timestampMs }) => timestampMs),
    [0, 100, 200],
  )
  t.equal(once[0]?.data.length, 48 * 32 * 3)
  t.equal(once[0]?.flow, undefined)
})

t.test('nine kinds, two of them held out; pictures are neither dark nor flat', async (t) => {
  t.equal(names.length, 9)
  t.same(
    sceneKinds()
      .filter(({ heldOut }) => heldOut)
      .map(({ name }) => name),
    ['warehouse', 'canyon'],
  )
  for (const kind of names) {
    for (const seed of [11, 12]) {
      const [frame] = await renderClip({ ...view, kind, seed, frames: 1 })
      const mean = frame!.data.reduce((sum, value) => sum + value, 0) / frame!.data.length
      t.ok(mean > 25 && mean < 235, `${kind} ${seed}: mean brightness ${mean.toFixed(0)}`)
      const disparity = exactDisparity(frame!).toSorted()
      const [far, near] = [
        disparity[Math.floor(disparity.length * 0.05)]!,
        disparity[Math.floor(disparity.length * 0.95)]!,
      ]
      t.ok(near > 1.3 * far, `${kind} ${seed}: depth from ${(1 / near).toFixed(1)} to ${(1 / far).toFixed(1)} m`)
    }
  }
})

t.test('cuts: another scene from the given frame on, no flow across', async (t) => {
  const frames = await renderClip({ ...view, kind: 'room', seed: 3, frames: 4, cutEvery: 2, flow: true })
  t.same(
    frames.map(({ flow }) => flow !== undefined),
    [true, false, true, false],
  )
  const change = (a: RenderedFrame, b: RenderedFrame): number =>
    a.data.reduce((sum, value, i) => sum + Math.abs(value - b.data[i]!), 0) / a.data.length
  t.ok(change(frames[1]!, frames[2]!) > 2 * change(frames[0]!, frames[1]!))
})

t.test('a kind that there is not', async (t) => {
  await t.rejects(renderClip({ ...view, kind: 'moon', seed: 1, frames: 1 }), {
    code: 'INVALID_OPTION',
    message: /one of room, .* for kind, received "moon"/,
  })
})

t.test('options of a sequence are checked before anything is drawn', (t) => {
  const good = { ...view, seed: 1, frames: 2 }
  const cases: [object, string][] = [
    [{ frames: 0 }, 'Expected a whole number from 1 to 2147483647 for frames, received 0'],
    [{ frames: NaN }, 'Expected a whole number from 1 to 2147483647 for frames, received NaN'],
    [{ frames: Infinity }, 'Expected a whole number from 1 to 2147483647 for frames, received Infinity'],
    [{ width: NaN }, 'Expected a whole number from 1 to 4096 for width, received NaN'],
    [{ height: 4097 }, 'Expected a whole number from 1 to 4096 for height, received 4097'],
    [{ seed: -1 }, 'Expected a whole number from 0 to 4294967295 for seed, received -1'],
    [{ seed: '1' }, 'Expected a whole number from 0 to 4294967295 for seed, received "1"'],
    [{ cutEvery: 0 }, 'Expected a whole number from 1 to 2147483647 for cutEvery, received 0'],
    [{ shutter: 1.5 }, 'Expected a number from 0 to 1 for shutter, received 1.5'],
    [{ noise: -1 }, 'Expected a number from 0 to 255 for noise, received -1'],
    [{ noise: NaN }, 'Expected a number from 0 to 255 for noise, received NaN'],
    [{ startSeconds: -1 }, 'Expected a number from 0 to 1000000 for startSeconds, received -1'],
    [{ antialias: 1 }, 'Expected true or false for antialias, received 1'],
    [{ flow: null }, 'Expected true or false for flow, received null'],
    [{ kind: 3 }, `Expected one of ${names.join(', ')} for kind, received 3`],
    [{ cutAfter: 3 }, 'for options, received "cutAfter"'],
    ...[0, -1, NaN, Infinity, 1e-6].map((frameRate): [object, string] => [
      { frameRate },
      'Expected a number above 0 with which the clip ends within 1000000 seconds for frameRate, ' +
        `received ${frameRate}`,
    ]),
  ]
  for (const [changes, message] of cases) {
    t.throws(() => renderSequence({ ...good, ...changes }), { code: 'INVALID_OPTION', message })
  }
  t.throws(() => renderSequence(undefined as never), { message: 'Expected an object for options, received undefined' })
  t.end()
})

t.test('a sequence can be left early', async (t) => {
  for await (const frame of renderSequence({ ...view, seed: 1, frames: 1000 })) {
    t.equal(frame.timestampMs, 0)
    break
  }
})
