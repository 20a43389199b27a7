// Owns: sun, sky, haze and how bright light becomes a screen's colours.
// Must not know: shapes, cameras.

import { fractalNoise } from './random.js'
import type { Ray } from './shapes.js'
import type { Colour, Rgb } from './textures.js'
import { normalize, type Vector } from './vector.js'

export interface Light {
  /** Unit vector towards the sun. */
  readonly sun: Vector
  readonly sunColour: Rgb
  readonly zenith: Rgb
  readonly horizon: Rgb
  /** Of the sky as a whole, on what faces up. */
  readonly ambient: Rgb
  /** Thrown up by the ground, on what faces down. */
  readonly bounce: Rgb
  /** Share of light lost to haze in each metre; 0: clear. */
  readonly haze: number
  /** Moves the clouds. */
  readonly cloudSeed: number
}

/** @param azimuth radians from +x towards +y @param elevation radians above the horizon */
export function daylight(azimuth: number, elevation: number, haze: number, cloudSeed: number): Light {
  const flat = Math.cos(elevation)
  return {
    sun: normalize([flat * Math.cos(azimuth), flat * Math.sin(azimuth), Math.sin(elevation)]),
    sunColour: [2.5, 2.1, 1.55],
    zenith: [0.1, 0.25, 0.62],
    horizon: [0.58, 0.72, 0.88],
    ambient: [0.31, 0.41, 0.6],
    bounce: [0.36, 0.3, 0.22],
    haze,
    cloudSeed,
  }
}

/** Light from where nothing stands. @param ray its direction is a unit vector */
export function sky(light: Light, ray: Ray, out: Colour): void {
  const dx = ray[3] ?? 0
  const dy = ray[4] ?? 0
  const dz = ray[5] ?? 0
  const height = Math.max(0, dz)
  const up = 1 - Math.exp(-3.2 * height)
  const cloud =
    height > 0.02 ? clouds(light.cloudSeed, dx / (height + 0.25), dy / (height + 0.25)) * Math.min(1, height * 7) : 0
  const towardsSun = Math.max(0, dx * light.sun[0] + dy * light.sun[1] + dz * light.sun[2])
  const glow = 0.25 * towardsSun ** 8 + 0.7 * towardsSun ** 90 + (towardsSun > 0.9995 ? 8 : 0)
  out.r = skyChannel(light, 0, up, cloud, glow)
  out.g = skyChannel(light, 1, up, cloud, glow)
  out.b = skyChannel(light, 2, up, cloud, glow)
}

function skyChannel(light: Light, i: 0 | 1 | 2, up: number, cloud: number, glow: number): number {
  const clear = light.horizon[i] + (light.zenith[i] - light.horizon[i]) * up
  return clear + (1.25 - clear) * cloud + glow * light.sunColour[i] * 0.5
}

function clouds(seed: number, x: number, y: number): number {
  const density = fractalNoise(x * 1.6 + seed, y * 1.6, 0) * 0.75 + fractalNoise(x * 6.5, y * 6.5 + seed, 0) * 0.25
  const t = Math.min(1, Math.max(0, (density - 0.47) / 0.24))
  return 0.85 * t * t * (3 - 2 * t)
}

/** @param distance metres */
export function addHaze(light: Light, distance: number, colour: Colour): void {
  const amount = 1 - Math.exp(-light.haze * distance)
  colour.r += (light.horizon[0] - colour.r) * amount
  colour.g += (light.horizon[1] - colour.g) * amount
  colour.b += (light.horizon[2] - colour.b) * amount
}

const curveSteps = 4096
const curveEnd = 8
const exposure = 0.62

/** Linear light → 0…255 on a screen: a filmic curve (Narkowicz's fit of ACES), then sRGB. */
const curve = Float32Array.from({ length: curveSteps + 1 }, (_, i) => {
  const x = (i / curveSteps) ** 2 * curveEnd * exposure
  const mapped = Math.min(1, (x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14))
  return 255 * (mapped <= 0.0031308 ? mapped * 12.92 : 1.055 * mapped ** (1 / 2.4) - 0.055)
})

export function toScreen(light: number): number {
  const position = Math.sqrt(Math.min(1, Math.max(0, light / curveEnd))) * curveSteps
  return curve[Math.round(position)] ?? 255
}
