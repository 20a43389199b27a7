// Owns: seeded random numbers and noise; the same seed gives the same numbers everywhere.
// Must not know: what they are used for.

/** Numbers in [0, 1) from a 32-bit seed (mulberry32). */
export class Random {
  #state: number

  constructor(seed: number) {
    // Hashed, so that neighbouring seeds have nothing in common.
    this.#state = Math.floor(hash(seed, 0x5eed) * 4294967296) >>> 0
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.next()
  }

  sign(): 1 | -1 {
    return this.next() < 0.5 ? -1 : 1
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[Math.floor(this.next() * items.length)] ?? items[0]
  }
}

/** One number in [0, 1) for each integer lattice point. */
export function hash(x: number, y: number, z = 0): number {
  let h = Math.imul(x, 0x165667b1) ^ Math.imul(y, 0x27d4eb2f) ^ Math.imul(z, 0x5bd1e995)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39)
  return ((h ^ (h >>> 15)) >>> 0) / 4294967296
}

/** Value noise in [0, 1), one period a unit, smooth in all three directions. */
export function noise(x: number, y: number, z = 0): number {
  const ix = Math.floor(x)
  const iy = Math.floor(y)
  const iz = Math.floor(z)
  const fx = ease(x - ix)
  const fy = ease(y - iy)
  const near = layer(ix, iy, iz, fx, fy)
  if (z === iz) return near
  return near + (layer(ix, iy, iz + 1, fx, fy) - near) * ease(z - iz)
}

/** Three octaves of noise, in [0, 1). */
export function fractalNoise(x: number, y: number, z = 0): number {
  return (noise(x, y, z) * 4 + noise(x * 2.03, y * 2.03, z * 2.03) * 2 + noise(x * 4.1, y * 4.1, z * 4.1)) / 7
}

function layer(ix: number, iy: number, iz: number, fx: number, fy: number): number {
  const nearLeft = hash(ix, iy, iz)
  const farLeft = hash(ix, iy + 1, iz)
  const low = nearLeft + (hash(ix + 1, iy, iz) - nearLeft) * fx
  const high = farLeft + (hash(ix + 1, iy + 1, iz) - farLeft) * fx
  return low + (high - low) * fy
}

const ease = (t: number): number => t * t * (3 - 2 * t)
