// Owns: tests of which frames a streamed frame sees, against upstream's rule carried out as a list.
// Must not know: engines.

import t from 'tap'
import { planStep, seenFrames, stateSlots } from '../../dist/esm/plan/step-plan.js'

/** Upstream keeps a list: 32 entries for the first frame, each new one appended, entry 1 removed from id + 32 > 42 on. */
class UpstreamList {
  #ids: number[] = []

  /** Ids that frame `id` sees besides itself, in order; then the frame is remembered. */
  next(id: number): number[] {
    const seen = id === 0 ? [] : [...this.#ids.slice(0, 2), ...this.#ids.slice(-29)]
    if (id === 0) this.#ids = new Array<number>(32).fill(0)
    else this.#ids.push(id)
    if (id + 32 > 42) this.#ids.splice(1, 1)
    return seen
  }

  get kept(): number {
    return this.#ids.length
  }
}

t.test('the same frames at the same positions as upstream, for 20,000 frames', (t) => {
  const upstream = new UpstreamList()
  /** What a slot holds after each step. */
  const slots: (number | undefined)[] = new Array<undefined>(stateSlots)
  for (let id = 0; id < 20_000; id++) {
    const wanted = upstream.next(id)
    const { positions, visible, write } = planStep(id)
    const seen: number[] = []
    for (let slot = 0; slot < stateSlots; slot++) {
      const frame = slots[slot]
      if (visible[slot] !== true) continue
      if (frame === undefined || seen[positions[slot] ?? -1] !== undefined) throw new Error(`slot ${slot} at ${id}`)
      seen[positions[slot] ?? -1] = frame
    }
    if (seen.join() !== wanted.join()) t.fail(`frame ${id} sees ${seen.join()} instead of ${wanted.join()}`)
    const own = [visible.at(-1), positions.at(-1)]
    if (own[0] !== true || own[1] !== (id === 0 ? 0 : 31)) t.fail(`frame ${id} stands at ${own.join()}`)
    for (const slot of write) slots[slot] = id
  }
  t.equal(upstream.kept, stateSlots, 'as many states as upstream keeps')
  t.end()
})

t.test('the rule in numbers', (t) => {
  t.same(seenFrames(1).slice(0, 3), [0, -40, -28])
  t.same(seenFrames(60), [0, 19, ...Array.from({ length: 29 }, (_, i) => 31 + i)])
  t.same(planStep(0).visible.filter(Boolean).length, 1, 'the first frame sees itself alone')
  t.same(planStep(0).write.length, stateSlots, 'and stands for all before it')
  t.same(planStep(50).visible.filter(Boolean).length, 32)
  t.same(planStep(50).write.length, 1)
  t.end()
})
