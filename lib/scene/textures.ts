// Owns: procedural surface colours.
// Must not know: light, cameras, which shape wears them.

import { fractalNoise, hash, noise } from './random.js'
import type { SurfacePoint } from './surface.js'

/** Linear light, 0…1 (sky and highlights may exceed 1). One object is reused for every pixel. */
export interface Colour {
  r: number
  g: number
  b: number
}

export type Rgb = readonly [r: number, g: number, b: number]

/**
 * Writes the share of light that the surface throws back.
 *
 * @param footprint size of a pixel on the surface, metres; detail finer than that is left out
 */
export type Texture = (at: Readonly<SurfacePoint>, footprint: number, out: Colour) => void

/** #rrggbb as written for a screen → linear light. */
export function fromHex(hex: string): Rgb {
  const channel = (i: number): number => {
    const s = Number.parseInt(hex.slice(1 + 2 * i, 3 + 2 * i), 16) / 255
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4
  }
  return [channel(0), channel(1), channel(2)]
}

export function plain(colour: Rgb): Texture {
  return (at, _footprint, out) => set(out, colour, 0.92 + 0.16 * fractalNoise(at.x * 3, at.y * 3, at.z * 3))
}

/** Square stone slabs with joints. */
export function paving(colour: Rgb, size: number): Texture {
  return (at, footprint, out) => {
    const column = Math.floor(at.u / size)
    const row = Math.floor(at.v / size)
    const shade = 0.78 + 0.4 * hash(column, row, 5)
    const grain = mix(0.84 + 0.32 * fractalNoise(at.u * 5, at.v * 5, hash(column, row) * 9), 1, fade(footprint, 0.12))
    const gap = Math.min(wrap(at.u, size), size - wrap(at.u, size), wrap(at.v, size), size - wrap(at.v, size))
    const joint = line(gap, 0.018, footprint)
    set(out, colour, shade * grain * (1 - 0.6 * joint))
  }
}

/** Rows of bricks, every other row moved by half a brick. */
export function brick(colour: Rgb, mortar: Rgb, length = 0.5, height = 0.2): Texture {
  return (at, footprint, out) => {
    const row = Math.floor(at.v / height)
    const moved = at.u + (row & 1) * length * 0.5
    const tone = hash(Math.floor(moved / length), row, 3)
    const grain = mix(0.8 + 0.4 * noise(at.u * 18, at.v * 18), 1, fade(footprint, 0.06))
    const along = wrap(moved, length)
    const across = wrap(at.v, height)
    const joint = line(Math.min(along, length - along, across, height - across), 0.011, footprint)
    const shade = (0.65 + 0.65 * tone) * grain
    out.r = mix(colour[0] * shade, mortar[0], joint)
    out.g = mix(colour[1] * shade * (1 - 0.15 * tone), mortar[1], joint)
    out.b = mix(colour[2] * shade * (1 - 0.15 * tone), mortar[2], joint)
  }
}

/** A crate: planks with grain, framed by darker boards. */
export function crate(colour: Rgb, frame: number, plank = 0.16): Texture {
  return (at, footprint, out) => {
    const framed = at.edge < frame
    const seam = framed
      ? line(frame - at.edge, 0.01, footprint)
      : line(Math.min(wrap(at.v, plank), plank - wrap(at.v, plank)), 0.008, footprint)
    const board = Math.floor(at.v / plank)
    const stretch = framed ? 9 : 2.5
    const grain = noise(at.u * stretch, at.v * 38 + board * 7, board) * 0.6 + noise(at.u * 7, at.v * 90, board) * 0.4
    const shade = (framed ? 0.72 : 0.8 + 0.35 * hash(board, 11)) * mix(0.72 + 0.5 * grain, 1, fade(footprint, 0.05))
    set(out, colour, shade * (1 - 0.65 * seam))
  }
}

/** Two colours in bent veins. */
export function marble(light: Rgb, dark: Rgb, scale: number): Texture {
  return (at, footprint, out) => {
    const bend = fractalNoise(at.x * scale, at.y * scale, at.z * scale)
    const vein = 0.5 + 0.5 * Math.sin((at.x + at.y * 0.6 + at.z * 0.8) * scale * 2.2 + bend * 11)
    const amount = mix(vein ** 3, 0.3, fade(footprint, 0.25 / scale))
    blend(out, light, dark, amount)
  }
}

/** Sectors of two colours around the axis, with a plain cap at both poles: shows how a ball turns. */
export function beachBall(first: Rgb, second: Rgb, radius: number): Texture {
  return (at, _footprint, out) => {
    const cap = Math.abs(at.z) > radius * 0.93
    const sector = Math.floor((Math.atan2(at.y, at.x) / (2 * Math.PI)) * 8) & 1
    set(out, cap || sector === 1 ? first : second, 1)
  }
}

/** Squares of two colours on every face. */
export function checker(first: Rgb, second: Rgb, size: number): Texture {
  return (at, footprint, out) => {
    const odd = (Math.floor(at.u / size) + Math.floor(at.v / size)) & 1
    const sharp = 1 - fade(footprint, size * 0.5)
    blend(out, first, second, 0.5 + (odd - 0.5) * sharp)
  }
}

/** Fluted stone: a column's vertical grooves. */
export function fluted(colour: Rgb, grooves: number, radius: number): Texture {
  return (at, footprint, out) => {
    const groove = 0.5 + 0.5 * Math.cos((at.u / radius) * grooves)
    const amount = 0.38 * (1 - fade(footprint, radius / grooves))
    const grain = 0.86 + 0.28 * fractalNoise(at.x * 6, at.y * 6, at.z * 2)
    set(out, colour, grain * (1 - amount * groove * groove))
  }
}

/** Grass that turns to `far` as a whole where single tufts are smaller than a pixel. */
export function meadow(near: Rgb, far: Rgb): Texture {
  return (at, footprint, out) => {
    const patch = fractalNoise(at.x * 0.22, at.y * 0.22)
    const tuft = mix(noise(at.x * 9, at.y * 9), 0.5, fade(footprint, 0.1))
    blend(out, near, far, patch)
    const shade = 0.65 + 0.7 * tuft
    out.r *= shade
    out.g *= shade
    out.b *= shade
  }
}

/** `inner` where the predicate holds, `outer` elsewhere. */
export function region(inside: (u: number, v: number) => boolean, inner: Texture, outer: Texture): Texture {
  return (at, footprint, out) => (inside(at.u, at.v) ? inner : outer)(at, footprint, out)
}

/** 0 where a pixel is much smaller than `detail`, 1 where it is larger. */
const fade = (footprint: number, detail: number): number => Math.min(1, footprint / (2 * detail))

/** Coverage of a line of half-width `half` at `distance` from its middle. */
function line(distance: number, half: number, footprint: number): number {
  const soft = Math.max(footprint, 0.004)
  const covered = Math.min(1, Math.max(0, (half - distance) / soft + 0.5))
  return covered * Math.min(1, (2 * half) / soft)
}

const wrap = (value: number, period: number): number => value - Math.floor(value / period) * period

const mix = (a: number, b: number, t: number): number => a + (b - a) * t

function set(out: Colour, colour: Rgb, shade: number): void {
  out.r = colour[0] * shade
  out.g = colour[1] * shade
  out.b = colour[2] * shade
}

function blend(out: Colour, a: Rgb, b: Rgb, t: number): void {
  out.r = mix(a[0], b[0], t)
  out.g = mix(a[1], b[1], t)
  out.b = mix(a[2], b[2], t)
}
