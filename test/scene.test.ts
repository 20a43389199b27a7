// Owns: tests of the scene renderer against closed forms and its own geometry.
// Must not know: the pipeline.

import { createHash } from 'node:crypto'
import t from 'tap'
import { lookAt } from '#lib/scene/camera.js'
import { daylight } from '#lib/scene/light.js'
import { renderFrame, type RenderedFrame } from '#lib/scene/render.js'
import { createScene, type Scene } from '#lib/scene/scene.js'
import { renderSequence } from '#lib/scene/sequence.js'
import { box, column, ground, sphere, type Shape } from '#lib/scene/shapes.js'
import { plain } from '#lib/scene/textures.js'

const finish = { texture: plain([0.5, 0.5, 0.5]) }
const view = { width: 64, height: 48, timeMs: 0 }
/** One unit in the last place of a float32, and some double rounding on the way. */
const relative = 1e-6

function sceneOf(shapes: Shape[], pose = lookAt([0, 0, 1.5], [0, 10, 1.5])): Scene {
  return { still: shapes, moving: () => [], camera: () => pose, light: daylight(1, 0.7, 0, 0) }
}

/** The ray of every pixel in the camera's frame, one metre long along z. */
function* pixels({
  width,
  height,
  intrinsics: { fx, fy, cx, cy },
}: RenderedFrame): Generator<[number, number, number]> {
  for (let i = 0; i < width * height; i++) yield [i, ((i % width) - cx) / fx, (Math.floor(i / width) - cy) / fy]
}

/** The point of the world that pixel `i` shows. */
function toWorld({ pose, depth, width, intrinsics: { fx, fy, cx, cy } }: RenderedFrame, i: number): number[] {
  const z = depth[i]!
  const point = [(((i % width) - cx) / fx) * z, ((Math.floor(i / width) - cy) / fy) * z, z, 1]
  return [0, 4, 8].map((row) => point.reduce((sum, value, k) => sum + value * pose[row + k]!, 0))
}

/** The same point in another frame's camera. */
function toCamera({ pose }: RenderedFrame, world: number[]): number[] {
  return [0, 1, 2].map((axis) =>
    world.reduce((sum, value, k) => sum + (value - pose[4 * k + 3]!) * pose[4 * k + axis]!, 0),
  )
}

/** Of everything in a frame. */
function digest({ data, depth, shapes, pose }: RenderedFrame): string {
  const hash = createHash('sha256')
  for (const array of [data, depth, shapes, pose]) hash.update(array)
  return hash.digest('hex')
}

function worst(frame: RenderedFrame, expected: (x: number, y: number) => number): number {
  let most = 0
  for (const [i, x, y] of pixels(frame)) {
    const want = expected(x, y)
    const got = frame.depth[i]!
    most = Math.max(most, want === got ? 0 : Math.abs(got / want - 1))
  }
  return most
}

t.test("depth of a level plane: height over the ray's fall", (t) => {
  const frame = renderFrame(sceneOf([ground(0, finish)]), view)
  t.ok(worst(frame, (_x, y) => (y > 0 ? 1.5 / y : Infinity)) < relative)
  t.ok(frame.depth.includes(Infinity), 'the sky has no depth')
  t.end()
})

t.test('depth of a sphere: the nearer root of its quadratic', (t) => {
  const frame = renderFrame(sceneOf([sphere([0, 5, 1.5], 1, finish)]), view)
  const root = (x: number, y: number): number => {
    const a = x * x + y * y + 1
    const discriminant = 25 - 24 * a
    return discriminant < 0 ? Infinity : (5 - Math.sqrt(discriminant)) / a
  }
  t.ok(worst(frame, root) < relative)
  t.end()
})

t.test('depth of a box face and of a column', (t) => {
  const wall = renderFrame(sceneOf([box([0, 6, 1.5], [20, 1, 20], 0, finish)]), view)
  t.ok(worst(wall, () => 5) < relative)
  const pillar = renderFrame(sceneOf([column([0, 5, -50], 1, 100, finish)]), view)
  const root = (x: number): number => {
    const discriminant = 25 - 24 * (x * x + 1)
    return discriminant < 0 ? Infinity : (5 - Math.sqrt(discriminant)) / (x * x + 1)
  }
  t.ok(worst(pillar, root) < relative)
  t.end()
})

t.test('leaving out shapes by tiles changes nothing', (t) => {
  const scene = createScene(4)
  const endless = (shape: Shape): Shape => ({ ...shape, bounds: undefined })
  const everything: Scene = {
    ...scene,
    still: scene.still.map(endless),
    moving: (timeMs) => scene.moving(timeMs).map(endless),
  }
  const [culled, whole] = [scene, everything].map((each) => renderFrame(each, { ...view, timeMs: 700 }))
  t.equal(digest(culled!), digest(whole!))
  t.end()
})

t.test('poses are rotations, and points at rest agree between two frames', (t) => {
  for (const seed of [1, 2, 3, 4]) {
    const scene = createScene(seed)
    const [first, second] = [0, 400].map((timeMs) => renderFrame(scene, { width: 160, height: 120, timeMs })) as [
      RenderedFrame,
      RenderedFrame,
    ]
    t.ok(Math.abs(determinant(first.pose) - 1) < 1e-12)
    const { seen, agreeing } = compare(scene, first, second)
    t.ok(seen > 5000, `seed ${seed}: enough points are seen twice`)
    t.ok(agreeing / seen > 0.995, `seed ${seed}: ${agreeing} of ${seen} points agree`)
  }
  t.end()
})

/**
 * Each point that the first frame shows, at the nearest pixel of the second. It agrees where that pixel shows the same
 * shape at the depth that the point must have, give or take what the shape's slope makes of half a pixel.
 */
function compare(scene: Scene, first: RenderedFrame, second: RenderedFrame): { seen: number; agreeing: number } {
  const { fx, fy, cx, cy } = second.intrinsics
  let seen = 0
  let agreeing = 0
  for (let i = 0; i < first.depth.length; i++) {
    const shape = first.shapes[i]!
    if (shape === 0 || shape > scene.still.length) continue
    const [x, y, z] = toCamera(second, toWorld(first, i)) as [number, number, number]
    const [u, v] = [Math.round((fx * x) / z + cx), Math.round((fy * y) / z + cy)]
    if (z <= 0 || u < 1 || v < 1 || u >= second.width - 1 || v >= second.height - 1) continue
    const at = v * second.width + u
    const around = [at - 1, at, at + 1, at - second.width, at + second.width]
    if (around.some((k) => second.shapes[k] !== shape)) continue
    const depths = around.map((k) => second.depth[k]!)
    seen++
    if (z > Math.min(...depths) * 0.999 && z < Math.max(...depths) * 1.001) agreeing++
  }
  return { seen, agreeing }
}

function determinant(pose: Float64Array): number {
  const at = (row: number, column: number): number => pose[4 * row + column]!
  const minor = (a: number, b: number): number => at(1, a) * at(2, b) - at(1, b) * at(2, a)
  return at(0, 0) * minor(1, 2) - at(0, 1) * minor(0, 2) + at(0, 2) * minor(0, 1)
}

t.test('a seed always gives the same clip, another seed another one', (t) => {
  const clip = (seed: number): RenderedFrame[] => [
    ...renderSequence({ seed, frames: 3, frameRate: 10, width: 48, height: 32 }),
  ]
  const [once, again, other] = [clip(7), clip(7), clip(8)]
  t.same(once.map(digest), again.map(digest))
  t.not(digest(once[0]!), digest(other[0]!))
  t.not(digest(once[0]!), digest(once[2]!), 'something moves')
  t.same(
    once.map(({ timestampMs }) => timestampMs),
    [0, 100, 200],
  )
  t.equal(once[0]?.data.length, 48 * 32 * 3)
  t.end()
})
