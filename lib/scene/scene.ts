// Owns: what a scene is, and the one that a seed gives: a courtyard with a colonnade, props, a ball and a sliding crate.
// Must not know: pixels.

import { orbit, walk, type CameraPath } from './camera.js'
import { daylight, type Light } from './light.js'
import { Random } from './random.js'
import { box, column, ground, sphere, type Shape } from './shapes.js'
import {
  beachBall,
  brick,
  checker,
  crate,
  fluted,
  fromHex,
  marble,
  meadow,
  paving,
  plain,
  region,
  type Rgb,
} from './textures.js'

/** World: metres, z up, right-handed; the ground is z = 0. */
export interface Scene {
  readonly still: readonly Shape[]
  /** Shapes that move, in the same order at any time. */
  readonly moving: (timeMs: number) => readonly Shape[]
  readonly camera: CameraPath
  readonly light: Light
}

interface Palette {
  readonly stone: Rgb
  readonly paving: Rgb
  readonly brick: Rgb
  readonly wood: Rgb
  readonly accent: Rgb
  readonly second: Rgb
}

const palettes: readonly [Palette, ...Palette[]] = [
  palette('#e8dcc4', '#c9b593', '#a4553c', '#b07a43', '#d8412f', '#2f6f8f'),
  palette('#e4e0d6', '#b9b4a6', '#8c4a3a', '#9c6b3f', '#e0952a', '#3b5d9b'),
  palette('#efe0cc', '#c7a98a', '#b2683f', '#a5723f', '#2a8f7b', '#c2415c'),
]

function palette(stone: string, slabs: string, bricks: string, wood: string, accent: string, second: string): Palette {
  return {
    stone: fromHex(stone),
    paving: fromHex(slabs),
    brick: fromHex(bricks),
    wood: fromHex(wood),
    accent: fromHex(accent),
    second: fromHex(second),
  }
}

const white = fromHex('#f4efe6')
/** Half the courtyard's width and its far end, metres. */
const court = { halfWidth: 6.2, near: -12, far: 31 }

/** The same seed gives the same scene; seeds differ in layout, colours, light and the camera's path. */
export function createScene(seed: number): Scene {
  const random = new Random(seed)
  const colours = random.pick(palettes)
  const mirror = random.sign()
  const light = daylight(
    Math.PI / 2 - mirror * random.between(1.9, 2.5),
    random.between(0.6, 0.85),
    0.007,
    random.between(0, 50),
  )
  const still = [
    floor(colours),
    ...colonnade(colours, -1),
    ...colonnade(colours, 1),
    ...farEnd(colours, random),
    ...props(colours, random, mirror),
  ]
  return { still, moving: movers(colours, random, mirror), camera: path(seed, random, mirror), light }
}

function floor(colours: Palette): Shape {
  const inside = (x: number, y: number): boolean => Math.abs(x) < court.halfWidth && y > court.near && y < court.far
  const grass = meadow(fromHex('#5f7a35'), fromHex('#8a8d48'))
  return ground(0, { texture: region(inside, paving(colours.paving, 1.1), grass), gloss: 0.05 })
}

/** @param side −1: left, 1: right */
function colonnade(colours: Palette, side: number): Shape[] {
  const x = side * 4.3
  const stone = { texture: plain(colours.stone) }
  const shaft = { texture: fluted(colours.stone, 16, 0.34) }
  const shapes: Shape[] = [
    box([x, 11.5, 4.25], [0.42, 11.6, 0.3], 0, stone),
    box([x, 11.5, 4.66], [0.58, 11.9, 0.11], 0, stone),
  ]
  for (let y = 1; y <= 22; y += 4.2) {
    shapes.push(
      box([x, y, 0.16], [0.52, 0.52, 0.16], 0, stone),
      column([x, y, 0.32], 0.34, 3.4, shaft),
      box([x, y, 3.83], [0.5, 0.5, 0.12], 0, stone),
    )
  }
  return shapes
}

function farEnd(colours: Palette, random: Random): Shape[] {
  const bricks = { texture: brick(colours.brick, fromHex('#b8ad9d')) }
  const cap = { texture: plain(colours.stone) }
  const hill = (): Shape => {
    const radius = random.between(70, 130)
    const turf = { texture: meadow(fromHex('#4d6a33'), fromHex('#7d8446')) }
    return sphere(
      [random.between(-110, 110), random.between(150, 210), -radius * random.between(0.72, 0.82)],
      radius,
      turf,
    )
  }
  const wing = (side: number): Shape[] => [
    box([side * 4.6, 31, 1.9], [3, 0.4, 1.9], 0, bricks),
    box([side * 4.6, 31, 3.9], [3.15, 0.55, 0.12], 0, cap),
  ]
  return [...wing(-1), ...wing(1), box([0, 31, 4.25], [2.2, 0.5, 0.28], 0, cap), hill(), hill(), hill()]
}

function props(colours: Palette, random: Random, mirror: number): Shape[] {
  const wood = { texture: crate(colours.wood, 0.075) }
  const side = -mirror
  const cratesAt = random.between(4.6, 5.6)
  const plinthAt = random.between(5.8, 7)
  const stone = { texture: plain(colours.stone) }
  const spheres = [
    { texture: marble(white, colours.second, 2.4), gloss: 0.7 },
    { texture: plain(colours.accent), gloss: 0.5 },
    { texture: checker(white, colours.second, 0.16), gloss: 0.25 },
  ]
  return [
    box([side * 2.5, cratesAt, 0.45], [0.45, 0.45, 0.45], random.between(0.1, 0.5), wood),
    box([side * 3.3, cratesAt + 1.2, 0.55], [0.55, 0.55, 0.55], random.between(-0.5, -0.1), wood),
    box([side * 2.6, cratesAt + 0.05, 1.18], [0.28, 0.28, 0.28], random.between(0.6, 1), wood),
    box([mirror * 2.4, plinthAt, 0.4], [0.42, 0.42, 0.4], 0, stone),
    sphere([mirror * 2.4, plinthAt, 1.25], 0.45, spheres[0] ?? stone),
    sphere([mirror * random.between(1.7, 2.2), plinthAt - 2.4, 0.3], 0.3, spheres[1] ?? stone),
    sphere([side * random.between(2, 2.4), cratesAt + 5, 0.5], 0.5, spheres[2] ?? stone),
    column([mirror * 1.9, plinthAt + 5, 0], 0.5, 0.7, { texture: brick(colours.brick, white, 0.26, 0.14) }),
    sphere([mirror * 1.9, plinthAt + 5, 1.1], 0.4, { texture: marble(white, colours.accent, 3), gloss: 0.6 }),
  ]
}

/** A ball that rolls from side to side and a crate that slides along the court and back. */
function movers(colours: Palette, random: Random, mirror: number): Scene['moving'] {
  const radius = 0.42
  const ball = { texture: beachBall(colours.accent, white, radius), gloss: 0.4 }
  const wood = { texture: crate(colours.second, 0.06, 0.3) }
  const ballAt = random.between(7.6, 8.4)
  const rate = random.between(0.75, 0.95)
  const yaw = random.between(-0.3, 0.3)
  return (timeMs) => {
    const seconds = timeMs / 1000
    const rolled = -mirror * 1.9 * Math.cos(rate * seconds)
    const slid = 11.5 + 2.2 * Math.sin(0.7 * seconds)
    return [
      sphere([rolled, ballAt, radius], radius, ball, { heading: 0, angle: rolled / radius }),
      box([mirror * -0.7, slid, 0.5], [0.5, 0.5, 0.5], yaw, wood),
    ]
  }
}

function path(seed: number, random: Random, mirror: number): CameraPath {
  if (random.next() < 0.7) {
    return walk(seed, {
      from: [mirror * -0.5, -1.6, 1.62],
      towards: [mirror * 0.25, 9, 1.2],
      speed: random.between(0.9, 1.3),
    })
  }
  const startAngle = -Math.PI / 2 - mirror * 0.25
  return orbit(seed, {
    center: [0, 7.6, 1],
    radius: random.between(7, 8),
    height: 1.9,
    startAngle,
    speed: mirror * 0.13,
  })
}
