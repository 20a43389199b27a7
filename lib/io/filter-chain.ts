// Owns: a chain of FFmpeg filters with one input and one output, rebuilt when its input's format changes.
// Must not know: decoders, encoders, what the filters are for.

import type { FilterContext, FilterGraph, Frame } from 'node-av'
import { avMessage, present, type Av } from './av.js'

export interface FilterStep {
  readonly filter: string
  readonly args: string
}

interface Graph {
  readonly key: string
  readonly graph: FilterGraph
  readonly input: FilterContext
  readonly output: FilterContext
}

/** Colour matrix and range are read from each frame's tags; where untagged, FFmpeg's default (BT.601, limited) holds. */
export class FilterChain {
  readonly #av: Av
  readonly #steps: readonly FilterStep[]
  readonly #result: Frame
  #graph: Graph | undefined

  constructor(av: Av, steps: readonly FilterStep[]) {
    this.#av = av
    this.#steps = steps
    this.#result = new av.Frame()
    this.#result.alloc()
  }

  /** Takes over the frame's data: `frame` is empty afterwards. The result holds until the next call. */
  async apply(frame: Frame): Promise<Frame> {
    const { input, output } = await this.#graphFor(frame)
    this.#check(await input.buffersrcAddFrame(frame), 'filter input')
    this.#result.unref()
    this.#check(await output.buffersinkGetFrame(this.#result), 'filter output')
    return this.#result
  }

  /** Only after the last `apply` settled. */
  close(): void {
    this.#graph?.graph.free()
    this.#graph = undefined
    this.#result.free()
  }

  async #graphFor(frame: Frame): Promise<Graph> {
    const key =
      `video_size=${frame.width}x${frame.height}:pix_fmt=${frame.format}:time_base=1/90000` +
      `:colorspace=${frame.colorSpace}:range=${frame.colorRange}`
    if (this.#graph?.key === key) return this.#graph
    this.#graph?.graph.free()
    this.#graph = undefined
    this.#graph = await this.#build(key)
    return this.#graph
  }

  async #build(key: string): Promise<Graph> {
    const graph = new this.#av.FilterGraph()
    graph.alloc()
    const add = (filter: string, index: number, args: string | null): FilterContext =>
      present(
        graph.createFilter(present(this.#av.Filter.getByName(filter), `filter ${filter}`), `${filter}${index}`, args),
        `${filter} filter for ${args ?? 'its defaults'}`,
      )
    const input = add('buffer', 0, key)
    let last = input
    for (const [index, step] of [...this.#steps.entries()]) {
      const next = add(step.filter, index + 1, step.args)
      this.#check(last.link(0, next, 0), step.filter)
      last = next
    }
    const output = add('buffersink', this.#steps.length + 1, null)
    this.#check(last.link(0, output, 0), 'buffersink')
    this.#check(await graph.config(), 'filter graph')
    return { key, graph, input, output }
  }

  #check(status: number, what: string): void {
    if (status < 0) throw new Error(`${what}: ${avMessage(this.#av, status)}`)
  }
}
