// Owns: what a trial can tell of its own process (memory by phase, the processors, its own part and others'), and which of
// its windows count.
// Must not know: what is computed.

import { readFileSync } from 'node:fs'
import os from 'node:os'
import { windowStrategy } from '../dist/esm/plan/strategy.js'

const sampleMs = 50
const mebibyte = 2 ** 20
/** Of /proc/stat. */
const ticksASecond = 100

/** Resident memory, MiB. Samples while the event loop turns; what blocks it calls `sample` itself. */
export class MemoryPhases {
  #phase
  #timer = setInterval(() => this.sample(), sampleMs).unref()
  #phases = {}

  constructor(phase) {
    this.#phase = phase
    this.sample()
  }

  sample() {
    const resident = process.memoryUsage.rss() / mebibyte
    const { peak = 0 } = this.#phases[this.#phase] ?? {}
    this.#phases[this.#phase] = { peak: Math.max(peak, resident), end: resident }
  }

  enter(phase) {
    this.sample()
    this.#phase = phase
    this.sample()
  }

  /** @returns by phase the highest sample and the last one; and the process's peak, from the system. */
  finish() {
    this.sample()
    clearInterval(this.#timer)
    return { phases: this.#phases, peakMemoryMiB: process.resourceUsage().maxRSS / 1024 }
  }
}

/** Processor time from now on. */
export class ProcessorUse {
  #started = performance.now()
  #own = process.cpuUsage()
  #machine = machineSeconds()

  /** Threads kept busy on average: by this process, and by others on this machine; idle is what they left. */
  result() {
    const seconds = (performance.now() - this.#started) / 1000
    const { user, system } = process.cpuUsage(this.#own)
    const own = (user + system) / 1e6 / seconds
    const machine = machineSeconds()
    if (machine === undefined || this.#machine === undefined) return { own }
    const busy = (machine.busy - this.#machine.busy) / seconds
    return { own, others: Math.max(0, busy - own), idle: Math.max(0, os.cpus().length - Math.max(busy, own)) }
  }
}

/** Undefined anywhere but on Linux. */
function machineSeconds() {
  try {
    const [line] = readFileSync('/proc/stat', 'utf8').split('\n')
    const [user, nice, system, , , interrupts, softInterrupts, steal] = line.split(/\s+/).slice(1).map(Number)
    return { busy: (user + nice + system + interrupts + softInterrupts + steal) / ticksASecond }
  } catch {
    return undefined
  }
}

/** Index of the last window that has as many new frames as any; the ones after it only end the video. */
export function lastFullWindow(frames) {
  const strategy = windowStrategy()
  return Math.max(0, Math.floor((frames - strategy.length) / strategy.step))
}

export function seconds(since) {
  return (performance.now() - since) / 1000
}

export function print(result) {
  process.stdout.write(`${JSON.stringify(result)}\n`)
}
