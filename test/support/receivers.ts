// Owns: the check that no class of an addon trusts what its methods and getters are called on, or with.
// Must not know: what any of them does.

import type { Test } from 'tap'
import { loadAddon } from '../../dist/esm/native/addon.js'

export type Anything = (...values: unknown[]) => unknown

interface Member {
  readonly name: string
  readonly call: Anything
}

const nonsense: readonly unknown[] = [
  ...[undefined, null, true, -1, 0, 1.5, 2 ** 53, Number.NaN, Infinity, 10n, 'text', Symbol('symbol'), () => 1],
  ...[[] as unknown[], {}],
  ...[[undefined], [{}], new Uint8Array(0), new Float32Array(3), new Float64Array(3), new ArrayBuffer(8)],
  ...[new SharedArrayBuffer(8), new Uint8Array(new SharedArrayBuffer(8)), new DataView(new ArrayBuffer(8))],
  ...[new Proxy({}, {}), new Proxy([], {}), Object.create(null) as unknown, new Date(Number.NaN)],
  {
    get width(): never {
      throw new Error('a getter')
    },
  },
]

/** Methods and both halves of accessors of an object's class. */
function membersOf(object: object): Member[] {
  const prototype = Object.getPrototypeOf(object) as object
  return Object.entries(Object.getOwnPropertyDescriptors(prototype)).flatMap(([name, property]) => {
    const halves: [string, unknown][] = [
      [name, name === 'constructor' ? undefined : property.value],
      [`get ${name}`, Reflect.get(property, 'get')],
      [`set ${name}`, Reflect.get(property, 'set')],
    ]
    return halves.flatMap(([half, call]) =>
      typeof call === 'function' ? [{ name: half, call: call as Anything }] : [],
    )
  })
}

/** The error, whether it is thrown or rejected with; undefined where there is none. */
async function failure(call: () => unknown): Promise<unknown> {
  try {
    await call()
    return undefined
  } catch (error) {
    return error
  }
}

async function checkReceivers(t: Test, objects: Record<string, object>): Promise<void> {
  const foreign: readonly unknown[] = [...nonsense, loadAddon(), process, new Map()]
  for (const [className, object] of Object.entries(objects)) {
    const others = Object.entries(objects).flatMap(([name, other]) => (name === className ? [] : [other]))
    const imitations = [
      Object.create(object) as object,
      Object.create(Object.getPrototypeOf(object) as object) as object,
      new Proxy(object, {}),
    ]
    const members = membersOf(object)
    t.ok(members.length > 0, className)
    for (const { name, call } of members) {
      for (const receiver of [...foreign, ...others, ...imitations]) {
        const error = await failure(() => Reflect.apply(call, receiver, []))
        if (!(error instanceof TypeError)) t.fail(`${className}: ${name} on ${typeof receiver} gave ${text(error)}`)
      }
    }
  }
}

const text = (error: unknown): string => (error instanceof Error ? error.message : typeof error)

/** With nonsense in every place, and in each place beside good values. Whatever happens is an error or a value. */
export async function checkArguments(t: Test, name: string, call: Anything): Promise<void> {
  for (const one of nonsense) {
    for (const values of [[one], [one, one], [one, one, one], new Array<unknown>(9).fill(one)]) {
      const error = await failure(() => call(...values))
      if (error !== undefined && !(error instanceof Error)) t.fail(`${name} threw ${text(error)}`)
    }
  }
}

/** @param objects one of each class, by its name */
export async function checkClasses(t: Test, objects: Record<string, object>): Promise<void> {
  await checkReceivers(t, objects)
  for (const [className, object] of Object.entries(objects)) {
    for (const { name, call } of membersOf(object)) {
      // These end what the others are called on.
      if (['close', 'release'].includes(name)) continue
      await checkArguments(t, `${className}.${name}`, (...values) => Reflect.apply(call, object, values))
    }
    const Class = object.constructor as (new (...values: unknown[]) => object) & Anything
    await checkArguments(t, `new ${className}`, (...values) => new Class(...values))
    t.throws(() => Class(), TypeError, `${className} without new`)
  }
  for (const [className, object] of Object.entries(objects)) {
    const members = membersOf(object)
    for (const { name, call } of members.filter(({ name }) => ['close', 'release'].includes(name))) {
      for (const _ of [1, 2]) await failure(() => Reflect.apply(call, object, []))
      for (const after of members)
        await checkArguments(t, `${className}.${after.name} after ${name}`, (...values) =>
          Reflect.apply(after.call, object, values),
        )
    }
  }
}
