// Owns: tests of the window plan against upstream's published rule and its own invariants.
// Must not know: engines.

import t, { type Test } from 'tap'
import {
  isNeeded,
  newEnd,
  planWindow,
  releasable,
  slotCount,
  windowCount,
  type WindowPlan,
} from '../../dist/esm/plan/window-plan.js'
import { SlotTable } from '../../dist/esm/plan/slots.js'
import { windowStrategy, type WindowStrategy } from '../../dist/esm/plan/strategy.js'

const lengths = [1, 2, 22, 23, 25, 26, 31, 32, 33, 44, 45, 47, 48, 54, 200]

/** Every window of a video, as a reader that learns the length only at the end would ask for them. */
function plans(strategy: WindowStrategy, frameCount: number, aligned = true): WindowPlan[] {
  const all: WindowPlan[] = []
  for (let index = 0; ; index++) {
    const known = frameCount < newEnd(strategy, index) ? frameCount : undefined
    if (known !== undefined && !isNeeded(strategy, index, known)) return all
    all.push(planWindow(strategy, index, known, aligned))
    if (all[index]?.last === true) return all
  }
}

t.test('upstream: a window starts with slots 0, 12 and 24…31 of the one before', (t) => {
  const strategy = windowStrategy('upstream')
  let previous = planWindow(strategy, 0, undefined, true).frames
  for (let index = 1; index < 6; index++) {
    const { frames, step } = planWindow(strategy, index, undefined, true)
    t.same(
      frames.slice(0, 10),
      [0, 12, 24, 25, 26, 27, 28, 29, 30, 31].map((slot) => previous[slot]),
    )
    t.same(
      frames.slice(10),
      Array.from({ length: 22 }, (_, i) => 22 * index + 10 + i),
    )
    t.same(step.align, [
      { slot: 0, frame: 0 },
      { slot: 1, frame: 22 * (index - 1) + 12 },
    ])
    t.same(step.remember, [{ slot: 12, frame: 22 * index + 12 }])
    t.same(step.forget, [22 * (index - 1) + 12])
    previous = frames
  }
  t.end()
})

t.test('paper: key frames lie 24 and 12 frames before the overlap', (t) => {
  const { frames, step } = planWindow(windowStrategy('paper'), 3, undefined, true)
  t.same(frames.slice(0, 3), [44, 56, 68])
  t.same(step.align, [
    { slot: 0, frame: 44 },
    { slot: 1, frame: 56 },
  ])
  t.end()
})

t.test('a window that would only blend with weight 0 is left out', (t) => {
  const strategy = windowStrategy('upstream')
  t.same(
    [1, 25, 26, 47, 48].map((n) => windowCount(strategy, n)),
    [1, 1, 2, 2, 3],
  )
  t.same(planWindow(strategy, 1, undefined, true).wanted.includes(2), false)
  t.end()
})

for (const rule of ['upstream', 'paper', 'overlap-interpolate', 'overlap-align', 'baseline'] as const) {
  for (const length of [16, 32, 48]) {
    const strategy = windowStrategy(rule, length)
    t.test(`${rule}, ${length} frames a window: every frame once, in order, in the slots there are`, (t) => {
      for (const frameCount of lengths) {
        const slots = new SlotTable(slotCount(strategy))
        const references = new Set<number>()
        let encoded = 0
        let emitted = 0
        let held = 0
        const all = plans(strategy, frameCount)
        for (const plan of all) {
          while (encoded < Math.min(frameCount, newEnd(strategy, plan.index))) slots.take(encoded++)
          for (const frame of plan.frames) slots.slotOf(frame) // throws where a frame is gone
          check(t, strategy, plan, references, held)
          t.equal(plan.firstEmitted, emitted)
          emitted += plan.emitted
          held = plan.step.hold
          for (const frame of releasable(strategy, plan.index, slots.frames)) slots.release(frame)
        }
        t.equal(emitted, frameCount, `${frameCount} frames out`)
        t.equal(encoded, frameCount, `${frameCount} frames encoded`)
        t.equal(all.length, windowCount(strategy, frameCount))
      }
      t.end()
    })
  }
}

/** What a stitcher relies on. */
function check(t: Test, strategy: WindowStrategy, plan: WindowPlan, references: Set<number>, held: number): void {
  const { step } = plan
  const known = step.align.every(({ frame }) => references.has(frame))
  const fits = plan.frames.length === strategy.length && plan.wanted.every((position) => position < strategy.length)
  const blends = step.blend.count === 0 || step.blend.count === held
  const enough = held + step.append.count - step.hold >= plan.emitted
  for (const { frame } of step.remember) references.add(frame)
  for (const frame of step.forget) references.delete(frame)
  if (!known || !fits || !blends || !enough) t.fail(`window ${plan.index}`, { known, fits, blends, enough, step })
}

t.test('metric depth is neither aligned nor remembered', (t) => {
  const { step, wanted } = planWindow(windowStrategy('upstream'), 2, undefined, false)
  t.same([step.align, step.remember, step.forget], [[], [], []])
  t.equal(wanted[0], 3)
  t.end()
})

t.test('the slots of upstream and paper', (t) => {
  t.equal(slotCount(windowStrategy('upstream')), 32)
  t.equal(slotCount(windowStrategy('paper')), 33)
  t.end()
})
