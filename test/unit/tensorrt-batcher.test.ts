// Owns: tests of how streams' frames are put together, on a clock of their own, and of the rows of a pool.
// Must not know: engines, GPUs.

import t from 'tap'
import { Rows } from '../../dist/esm/engine/tensorrt/rows.js'
import { StepBatcher, type BatchClock } from '../../dist/esm/engine/tensorrt/step-batcher.js'

class FakeClock implements BatchClock {
  #now = 0
  #timers: { readonly at: number; readonly work: () => void }[] = []

  now(): number {
    return this.#now
  }

  after(ms: number, work: () => void): () => void {
    const timer = { at: this.#now + ms, work }
    this.#timers.push(timer)
    return () => (this.#timers = this.#timers.filter((one) => one !== timer))
  }

  get waiting(): number {
    return this.#timers.length
  }

  async pass(ms: number): Promise<void> {
    this.#now += ms
    const due = this.#timers.filter(({ at }) => at <= this.#now)
    this.#timers = this.#timers.filter(({ at }) => at > this.#now)
    for (const { work } of due) work()
    await settled()
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** @param members how many may give entries */
function batcher(members: number, { most = 8, delayMs = 2 } = {}) {
  const clock = new FakeClock()
  const batches: string[][] = []
  const ends: (() => void)[] = []
  let fail: Error | undefined
  const made = new StepBatcher<string, string>({
    run: async (entries) => {
      batches.push([...entries])
      await new Promise<void>((resolve) => ends.push(resolve))
      if (fail !== undefined) throw fail
      return entries.map((entry) => entry.toUpperCase())
    },
    ...{ most, delayMs, clock },
  })
  const leave = Array.from({ length: members }, () => made.join())
  const end = async (): Promise<void> => {
    ends.shift()?.()
    await settled()
  }
  return { made, clock, batches, end, leave, failNext: (error: Error | undefined) => (fail = error) }
}

t.test('a lone stream never waits', async (t) => {
  const { made, clock, batches, end } = batcher(1)
  const a = made.step('a')
  t.same(batches, [['a']])
  t.equal(clock.waiting, 0)
  await end()
  t.equal(await a, 'A')
})

t.test('all that are open: together at once', async (t) => {
  const { made, clock, batches, end } = batcher(3)
  const all = ['a', 'b', 'c'].map((entry) => made.step(entry))
  t.same(batches, [['a', 'b', 'c']])
  await end()
  t.same(await Promise.all(all), ['A', 'B', 'C'])
  t.equal(clock.waiting, 0)
})

t.test('one slow reader holds the others up for the budget and no longer', async (t) => {
  const { made, clock, batches, end } = batcher(3)
  void made.step('a')
  await clock.pass(1.5)
  void made.step('b')
  t.same(batches, [])
  await clock.pass(0.4)
  t.same(batches, [])
  await clock.pass(0.1)
  t.same(batches, [['a', 'b']], 'the budget counts from the oldest')
  const late = made.step('c')
  await clock.pass(10)
  t.same(batches.length, 1, 'a run is under way')
  await end()
  t.same(batches.at(-1), ['c'], 'what waited longer than the budget goes at once')
  await end()
  t.equal(await late, 'C')
})

t.test('what comes during a run goes together after it, oldest first', async (t) => {
  const { made, batches, end } = batcher(6, { most: 2 })
  void made.step('a')
  void made.step('b')
  for (const entry of ['c', 'd', 'e', 'f']) void made.step(entry)
  t.same(batches, [['a', 'b']])
  await end()
  await end()
  t.same(batches, [
    ['a', 'b'],
    ['c', 'd'],
    ['e', 'f'],
  ])
  await end()
})

t.test('nobody starves: a stream that comes back waits behind the others', async (t) => {
  const { made, batches, end } = batcher(3, { most: 2, delayMs: 0 })
  void made.step('a1')
  void made.step('b1')
  void made.step('c1')
  await end()
  void made.step('a2')
  void made.step('b2')
  for (let i = 0; i < 4; i++) await end()
  t.same(batches.flat(), ['a1', 'b1', 'c1', 'a2', 'b2'])
})

t.test('without a budget nothing waits', (t) => {
  const { made, clock, batches } = batcher(3, { delayMs: 0 })
  void made.step('a')
  t.same(batches, [['a']])
  t.equal(clock.waiting, 0)
  t.end()
})

t.test('a stream that leaves is not waited for', (t) => {
  const { made, clock, batches, leave } = batcher(2)
  void made.step('a')
  t.same(batches, [])
  leave[1]?.()
  leave[1]?.()
  t.same(batches, [['a']])
  t.equal(clock.waiting, 0)
  t.end()
})

t.test('an entry that is withdrawn does not go', async (t) => {
  const { made, clock, batches } = batcher(3)
  const withdrawn = t.rejects(made.step('a'), { message: 'not any more' })
  void made.step('b')
  made.withdraw('a', new Error('not any more'))
  await withdrawn
  await clock.pass(2)
  t.same(batches, [['b']])
})

t.test('a failed run rejects its own entries alone', async (t) => {
  const { made, end, failNext } = batcher(2)
  failNext(new Error('broken'))
  const first = [made.step('a'), made.step('b')]
  const rejected = Promise.all(first.map((step) => t.rejects(step, { message: 'broken' })))
  await end()
  await rejected
  failNext(undefined)
  const second = [made.step('c'), made.step('d')]
  await end()
  t.same(await Promise.all(second), ['C', 'D'])
})

t.test('rows: the lowest that is free', (t) => {
  const rows = new Rows(3)
  t.same([rows.take(), rows.take(), rows.take(), rows.take()], [0, 1, 2, undefined])
  rows.release(2)
  rows.release(0)
  t.equal(rows.areAllFree, false)
  t.throws(() => rows.release(0), { message: 'row 0 is not taken' })
  t.throws(() => rows.release(3), { message: 'row 3 is not taken' })
  t.same([rows.take(), rows.take(), rows.take()], [0, 2, undefined])
  for (const row of [0, 1, 2]) rows.release(row)
  t.equal(rows.areAllFree, true)
  t.end()
})
