// Owns: tests of the addon's scenes: worlds by seed, several pictures at once, arguments.
// Must not know: sequences.

import { createHash } from 'node:crypto'
import t from 'tap'
import type { NativeRenderOptions, NativeRenderedPicture } from '../../dist-tools/scenes/native-types.js'
import { loadScenes } from '../../dist-tools/scenes/addon.js'
import { sceneKinds } from '../../dist-tools/scenes/kinds.js'

const { Scene } = loadScenes()
const names = sceneKinds().map(({ name }) => name)

/** A hash of everything in a picture. */
function digest({ data, depth, bodies, pose, flow }: NativeRenderedPicture): string {
  const hash = createHash('sha256')
  for (const array of [data, depth, bodies, pose, flow ?? new Uint8Array(0)]) hash.update(array)
  return hash.digest('hex')
}

/** Bodies, and those that move, of seeds 1 to 3: the order of draws must not depend on a compiler. */
const worlds: Record<string, readonly [bodies: number, moving: number][]> = {
  room: [
    [77, 16],
    [65, 0],
    [61, 2],
  ],
  corridor: [
    [80, 0],
    [58, 0],
    [68, 0],
  ],
  street: [
    [195, 0],
    [223, 24],
    [213, 0],
  ],
  terrain: [
    [59, 2],
    [69, 6],
    [65, 6],
  ],
  clutter: [
    [48, 8],
    [83, 9],
    [49, 3],
  ],
  courtyard: [
    [45, 2],
    [59, 1],
    [67, 9],
  ],
  warehouse: [
    [51, 0],
    [55, 0],
    [66, 14],
  ],
  canyon: [
    [44, 0],
    [37, 3],
    [50, 1],
  ],
  jumble: [
    [40, 2],
    [28, 2],
    [125, 8],
  ],
}

t.test('a seed gives the same world everywhere', (t) => {
  for (const [kind, name] of names.entries()) {
    const found = [1, 2, 3].map((seed) => {
      const { moving } = new Scene(kind, seed)
      return [moving.length, moving.reduce((sum, flag) => sum + flag, 0)]
    })
    t.same(found, worlds[name], name)
  }
  t.end()
})

const shot: NativeRenderOptions = {
  ...{ width: 32, height: 24, seconds: 1, cameraSeconds: null, antialias: true },
  ...{ shutter: 0.02, noise: 2, noiseSeed: 5, flowTo: 1.1 },
}

t.test('several pictures at once have the bits of one by one', async (t) => {
  const scene = new Scene(5, 4)
  const shots = Array.from({ length: 12 }, (_, i) => ({
    ...shot,
    seconds: i / 3,
    flowTo: i % 2 === 0 ? null : i / 3 + 1,
  }))
  const alone: string[] = []
  for (const options of shots) alone.push(digest(await scene.render(options)))
  const together = await Promise.all(shots.map((options) => scene.render(options)))
  t.same(together.map(digest), alone)
  t.equal(new Set(alone).size, shots.length, 'each is another one')
})

t.test('a camera that stands', async (t) => {
  const scene = new Scene(5, 4)
  const [first, moved] = [await scene.render(shot), await scene.render({ ...shot, seconds: 3 })]
  const still = await scene.render({ ...shot, seconds: 3, cameraSeconds: shot.seconds })
  t.same(still.pose, first.pose)
  t.notSame(moved.pose, first.pose)
})

t.test('a picture of one pixel', async (t) => {
  for (const kind of names.keys()) {
    const picture = await new Scene(kind, 1).render({ ...shot, width: 1, height: 1 })
    t.same([picture.data.length, picture.depth.length, picture.bodies.length, picture.flow?.length], [3, 1, 1, 2])
    t.ok(picture.depth[0]! >= 0.05)
  }
})

t.test('arguments are checked', async (t) => {
  const kind = 'Expected an integer from 0 to 8 for kind, received'
  for (const bad of [-1, 9, 0.5, NaN]) t.throws(() => new Scene(bad, 0), { message: `${kind} ${bad}` })
  t.throws(() => new Scene('room' as never, 0), { message: `${kind} "room"` })
  const seed = 'Expected an integer from 0 to 9007199254740991 for seed, received'
  for (const bad of [-1, 2 ** 53, 1.5, undefined as never])
    t.throws(() => new Scene(0, bad), { message: `${seed} ${String(bad)}` })
  t.throws(() => (Scene as unknown as () => undefined)())
  const scene = new Scene(0, Number.MAX_SAFE_INTEGER)
  const cases: [object, string][] = [
    [{ width: 0 }, 'Expected an integer from 1 to 4096 for options.width, received 0'],
    [{ width: NaN }, 'Expected an integer from 1 to 4096 for options.width, received NaN'],
    [{ height: 4097 }, 'Expected an integer from 1 to 4096 for options.height, received 4097'],
    [{ seconds: NaN }, 'Expected a number from -1000000 to 1000000 for options.seconds, received NaN'],
    [{ seconds: '1' }, 'Expected a number from -1000000 to 1000000 for options.seconds, received "1"'],
    [{ flowTo: Infinity }, 'Expected a number from -1000000 to 1000000 for options.flowTo, received Infinity'],
    [{ flowTo: undefined }, 'Expected a number from -1000000 to 1000000 for options.flowTo, received undefined'],
    [{ cameraSeconds: NaN }, 'Expected a number from -1000000 to 1000000 for options.cameraSeconds, received NaN'],
    [{ antialias: 1 }, 'Expected true or false for options.antialias, received 1'],
    [{ shutter: -1 }, 'Expected a number from 0 to 1000000 for options.shutter, received -1'],
    [{ noise: -1 }, 'Expected a number from 0 to 255 for options.noise, received -1'],
    [{ noiseSeed: 2 ** 32 }, 'Expected an integer from 0 to 4294967295 for options.noiseSeed, received 4294967296'],
  ]
  for (const [changes, message] of cases) await t.rejects(scene.render({ ...shot, ...changes }), { message })
  for (const bad of [undefined, null, 3])
    await t.rejects(scene.render(bad as never), { message: `Expected an object for options, received ${String(bad)}` })
  const thrown = new Error('from a getter')
  const options = Object.defineProperty({ ...shot }, 'seconds', {
    get: () => {
      throw thrown
    },
  })
  await t.rejects(scene.render(options), thrown)
  t.ok(Object.hasOwn(scene, 'moving') && scene.moving.includes(0), 'a value, no accessor')
  const render = Reflect.get(scene, 'render') as (...args: unknown[]) => unknown
  for (const receiver of [{}, Object.create(Scene.prototype as object) as object, loadScenes(), undefined])
    t.throws(() => Reflect.apply(render, receiver, [shot]) as undefined)
})
