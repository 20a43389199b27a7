// Owns: what a running `live` says: a line of rates and latencies, and what happens to the source.
// Must not know: sources, streams, outputs.

import { counted } from '../../base/counted.js'
import type { LiveEvent } from '../../io/live/live-options.js'
import type { LiveStats } from '../../io/live/live-source.js'
import type { StreamStats } from '../../stream/depth-stream.js'
import type { LatencyPercentiles } from '../../stream/latency.js'
import { shown } from '../../base/outside-text.js'
import { overwriteLine, tell } from '../tell.js'

/** In a pipe, lines come this much more rarely than on a terminal. */
export const pipeFactor = 10

/** Least time between two messages about damaged packets, of which there may be hundreds a second. Milliseconds. */
const damageMs = 1000

/** What became of the source; zeros for raw frames. */
export type Mishaps = Pick<LiveStats, 'reconnects' | 'damagedPackets' | 'damagedFrames' | 'sizeChanges'>

export type LiveFigures = StreamStats & Mishaps

export class StatusLine {
  readonly #out: NodeJS.WriteStream
  readonly #intervalMs: number
  #figures: (() => LiveFigures) | undefined
  #last: { readonly ms: number; readonly framesIn: number; readonly framesOut: number } | undefined
  #ticking: NodeJS.Timeout | undefined
  #shown = false
  #hasConnected = false
  /** The last one told, so that many failures for one reason are one line of text. */
  #reason: string | undefined
  /** Packets since `#damageTimer` was set, which is while there is something to wait for. */
  #damaged = 0
  #damageTimer: NodeJS.Timeout | undefined

  /** @param intervalMs between two lines; 0: no lines, events only */
  constructor(out: NodeJS.WriteStream, intervalMs: number) {
    this.#out = out
    this.#intervalMs = out.isTTY ? intervalMs : intervalMs * pipeFactor
  }

  /** Lines come from now on, also while no frame does. */
  watch(figures: () => LiveFigures): void {
    this.#figures = figures
    const { framesIn, framesOut } = figures()
    this.#last = { ms: performance.now(), framesIn, framesOut }
    if (this.#intervalMs > 0) this.#ticking = setInterval(() => this.tick(), this.#intervalMs).unref()
  }

  /** A line as of now. */
  tick(): void {
    if (this.#figures === undefined || this.#last === undefined) return
    const { framesIn, framesOut, dropped, latency, ...mishaps } = this.#figures()
    const last = this.#last
    const ms = performance.now()
    this.#last = { ms, framesIn, framesOut }
    const seconds = Math.max(0.001, (ms - last.ms) / 1000)
    const rate = (now: number, before: number): string => ((now - before) / seconds).toFixed(1)
    const parts = [
      `in ${rate(framesIn, last.framesIn)} fps`,
      `out ${rate(framesOut, last.framesOut)} fps`,
      `dropped ${dropped}`,
      ...latencyTexts(latency),
      ...mishapTexts(mishaps),
    ]
    this.#show(parts.join('  '))
  }

  event(event: LiveEvent): void {
    if (event.type === 'damaged') {
      this.#noteDamage(event.packets)
      return
    }
    this.say(this.#eventText(event))
    if (event.type === 'connected') this.#hasConnected = true
    if (event.type === 'lost' || event.type === 'retrying') this.#reason = event.reason
  }

  /** A line of its own that stays. */
  say(text: string): void {
    this.#freshLine()
    tell(`video-depth: ${shown(text)}\n`, this.#out)
  }

  /** No more lines; leaves the cursor on a fresh one. Idempotent. */
  end(): void {
    clearInterval(this.#ticking)
    clearTimeout(this.#damageTimer)
    this.#damageTimer = undefined
    this.#sayDamage()
    this.#freshLine()
  }

  #noteDamage(packets: number): void {
    this.#damaged += packets
    if (this.#damageTimer !== undefined) return
    this.#sayDamage()
    this.#damageTimer = setTimeout(() => {
      this.#damageTimer = undefined
      if (this.#damaged > 0) this.#noteDamage(0)
    }, damageMs).unref()
  }

  #sayDamage(): void {
    if (this.#damaged > 0) this.say(`${counted(this.#damaged, 'packet')} could not be decoded`)
    this.#damaged = 0
  }

  #freshLine(): void {
    if (this.#shown) tell('\n', this.#out)
    this.#shown = false
  }

  #show(text: string): void {
    if (!this.#out.isTTY) {
      tell(`${text}\n`, this.#out)
      return
    }
    this.#shown = true
    overwriteLine(text, this.#out)
  }

  #eventText(event: Exclude<LiveEvent, { readonly type: 'damaged' }>): string {
    switch (event.type) {
      case 'connected': {
        const rate = event.frameRate === undefined ? '' : `, ${event.frameRate.toFixed(2)} fps`
        return `connected: ${sizeText(event)}${rate}; depth ${sizeText(event.output)}`
      }
      case 'lost':
        return `lost the source: ${event.reason}`
      case 'retrying': {
        const aim = this.#hasConnected ? 'get it back' : 'reach the source'
        const reason = event.reason === this.#reason ? '' : `: ${event.reason}`
        return `attempt ${event.attempt} to ${aim} in ${(event.delayMs / 1000).toFixed(1)} s${reason}`
      }
      case 'size-changed':
        return `the frames changed from ${sizeText(event.from)} to ${sizeText(event.to)} and are scaled`
    }
  }
}

/** One for each kind of mishap that happened. */
export function mishapTexts({ reconnects, damagedPackets, damagedFrames, sizeChanges }: Mishaps): string[] {
  const counts: [number, string][] = [
    [reconnects, 'reconnection'],
    [damagedPackets, 'undecodable packet'],
    [damagedFrames, 'damaged frame'],
    [sizeChanges, 'size change'],
  ]
  return counts.filter(([count]) => count > 0).map(([count, what]) => counted(count, what))
}

function latencyTexts(latency: LatencyPercentiles | undefined): string[] {
  if (latency === undefined) return []
  const { p50, p95, p99 } = latency
  return [`p50 ${p50.toFixed(0)}  p95 ${p95.toFixed(0)}  p99 ${p99.toFixed(0)} ms`]
}

function sizeText({ width, height }: { readonly width: number; readonly height: number }): string {
  return `${width}×${height}`
}
