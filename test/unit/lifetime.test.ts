// Owns: tests of what ends once, and of what runs in the order asked.
// Must not know: what uses them.

import t from 'tap'
import { Lifetime } from '../../dist/esm/base/lifetime.js'
import { SerialQueue } from '../../dist/esm/base/serial-queue.js'

t.test('the first reason stays, and everything is released once', async (t) => {
  const reasons: unknown[] = []
  const life = new Lifetime((reason) => {
    reasons.push(reason)
    return Promise.reject(new Error('cannot release'))
  })
  const [first, second] = [new Error('first'), new Error('second')]
  t.notOk(life.isEnd(undefined))
  await t.rejects(life.end(first), { message: 'cannot release' })
  await t.rejects(life.end(second), { message: 'cannot release' })
  t.same(reasons, [first])
  t.ok(life.isEnd(first))
  t.notOk(life.isEnd(second))
})

t.test('an abort ends it, and one that came before does so at once', async (t) => {
  const abort = new AbortController()
  const early = new Lifetime(() => Promise.reject(new Error('told to who closes')), abort.signal)
  const reason = new Error('enough')
  abort.abort(reason)
  const late = new Lifetime(() => Promise.resolve(), abort.signal)
  t.ok([early, late].every((life) => life.isEnd(reason)))
  await t.rejects(early.end(undefined), { message: 'told to who closes' })
})

t.test('after its own end, an abort is not listened to', (t) => {
  const abort = new AbortController()
  const life = new Lifetime(() => Promise.resolve(), abort.signal)
  void life.end('own')
  abort.abort('other')
  t.equal(life.signal.reason, 'own')
  t.end()
})

t.test('work runs in the order asked, also after a failure', async (t) => {
  const queue = new SerialQueue()
  const order: number[] = []
  const failed = queue.run(async () => {
    await new Promise((resolve) => setImmediate(resolve))
    order.push(1)
    throw new Error('first')
  })
  const given = queue.run(() => order.push(2))
  await queue.settled
  t.same(order, [1, 2])
  await t.rejects(failed, { message: 'first' })
  t.equal(await given, 2)
})
