// Owns: a restricted reader of Python pickles: it builds values, and never runs what a pickle names.
// Must not know: PyTorch, files. What a named global means is its host's business.

import { opcodeNames } from './pickle-opcodes.js'
import {
  damaged,
  forbidden,
  PickleDict,
  PickleInert,
  PickleList,
  PickleObject,
  PickleTuple,
  type PickleValue,
} from './pickle-values.js'

/** Gives meaning to the few names that are allowed; throws on all others. */
export interface PickleHost {
  global(module: string, name: string): PickleObject
  call(callable: PickleObject, args: readonly PickleValue[]): PickleValue
  persistent(id: PickleValue): PickleValue
}

const maxStack = 1 << 16
const maxMemo = 1 << 20
/** Tuples, lists, dicts and what the host makes: a few for each tensor, a few hundred bytes of memory each. */
const maxObjects = 1 << 18
const mark = Symbol('mark')
type StackItem = PickleValue | typeof mark

/** Reads one pickle of protocol 2 to 5. Time and memory are bounded by its length and by `maxObjects`. */
export function readPickle(bytes: Uint8Array, host: PickleHost): PickleValue {
  return new Unpickler(bytes, host).run()
}

class Unpickler {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #host: PickleHost
  readonly #stack: StackItem[] = []
  readonly #memo = new Map<number, PickleValue>()
  readonly #text = new TextDecoder('utf-8', { fatal: true })
  #position = 0
  #objects = 0

  constructor(bytes: Uint8Array, host: PickleHost) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#host = host
  }

  run(): PickleValue {
    if (this.#byte() !== 0x80) throw damaged('it does not start with a protocol number')
    const protocol = this.#byte()
    if (protocol < 2 || protocol > 5) throw damaged(`it is of protocol ${protocol}, not 2 to 5`)
    for (;;) {
      const opcode = this.#byte()
      if (opcode === 0x2e) return this.#pop() // STOP
      this.#step(opcode)
      if (this.#stack.length > maxStack) throw damaged(`its stack exceeds ${maxStack} values`)
    }
  }

  #step(opcode: number): void {
    if (!this.#stepScalar(opcode) && !this.#stepContainer(opcode) && !this.#stepObject(opcode)) {
      const name = opcodeNames.get(opcode)
      if (name !== undefined) throw forbidden(`opcode ${name}`)
      throw damaged(`byte 0x${opcode.toString(16)} at ${this.#position - 1} is no opcode`)
    }
  }

  #stepScalar(opcode: number): boolean {
    switch (opcode) {
      case 0x4e: // NONE
        return this.#push(null)
      case 0x88: // NEWTRUE
        return this.#push(true)
      case 0x89: // NEWFALSE
        return this.#push(false)
      case 0x4b: // BININT1
        return this.#push(this.#byte())
      case 0x4d: // BININT2
        return this.#push(this.#view.getUint16(this.#take(2), true))
      case 0x4a: // BININT
        return this.#push(this.#view.getInt32(this.#take(4), true))
      case 0x8a: // LONG1
        return this.#push(this.#long(this.#byte()))
      case 0x47: // BINFLOAT
        return this.#push(this.#view.getFloat64(this.#take(8), false))
      case 0x58: // BINUNICODE
        return this.#push(this.#string(this.#uint32()))
      case 0x8c: // SHORT_BINUNICODE
        return this.#push(this.#string(this.#byte()))
      default:
        return false
    }
  }

  #stepContainer(opcode: number): boolean {
    switch (opcode) {
      case 0x28: // MARK
        this.#stack.push(mark)
        return true
      case 0x29: // EMPTY_TUPLE
        return this.#pushNew(new PickleTuple([]))
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.#pushNew(new PickleTuple(this.#popMany(opcode - 0x84)))
      case 0x74: // TUPLE
        return this.#pushNew(new PickleTuple(this.#popToMark()))
      case 0x5d: // EMPTY_LIST
        return this.#pushNew(new PickleList())
      case 0x61: // APPEND
        return this.#append(this.#popMany(1))
      case 0x65: // APPENDS
        return this.#append(this.#popToMark())
      case 0x7d: // EMPTY_DICT
        return this.#pushNew(new PickleDict())
      case 0x73: // SETITEM
        return this.#setItems(this.#popMany(2))
      case 0x75: // SETITEMS
        return this.#setItems(this.#popToMark())
      default:
        return false
    }
  }

  #stepObject(opcode: number): boolean {
    switch (opcode) {
      case 0x95: // FRAME: only a hint for readers that stream
        this.#take(8)
        return true
      case 0x71: // BINPUT
        return this.#remember(this.#byte())
      case 0x72: // LONG_BINPUT
        return this.#remember(this.#uint32())
      case 0x94: // MEMOIZE
        return this.#remember(this.#memo.size)
      case 0x68: // BINGET
        return this.#push(this.#recall(this.#byte()))
      case 0x6a: // LONG_BINGET
        return this.#push(this.#recall(this.#uint32()))
      case 0x63: // GLOBAL
        return this.#pushNew(this.#host.global(this.#line(), this.#line()))
      case 0x93: // STACK_GLOBAL
        return this.#stackGlobal()
      case 0x51: // BINPERSID
        return this.#pushNew(this.#host.persistent(this.#pop()))
      case 0x52: // REDUCE
        return this.#reduce()
      case 0x81: // NEWOBJ
        return this.#newObject()
      case 0x62: // BUILD
        return this.#build()
      default:
        return false
    }
  }

  #reduce(): boolean {
    const args = this.#pop()
    const callable = this.#pop()
    if (!(args instanceof PickleTuple) || !(callable instanceof PickleObject))
      throw damaged('a call has no function or no tuple')
    if (callable instanceof PickleInert) return this.#push(callable)
    return this.#pushNew(this.#host.call(callable, args.items))
  }

  #newObject(): boolean {
    this.#pop()
    const made = this.#pop()
    if (!(made instanceof PickleInert)) throw forbidden('opcode NEWOBJ')
    return this.#push(made)
  }

  /** An OrderedDict's attributes (`_metadata` holds module versions) mean nothing here. */
  #build(): boolean {
    this.#pop()
    const target = this.#pop()
    if (!(target instanceof PickleDict) && !(target instanceof PickleInert))
      throw forbidden('opcode BUILD on something else than a dict')
    return this.#push(target)
  }

  #stackGlobal(): boolean {
    const name = this.#pop()
    const module = this.#pop()
    if (typeof name !== 'string' || typeof module !== 'string') throw damaged('a global is not named by two strings')
    return this.#pushNew(this.#host.global(module, name))
  }

  #append(items: readonly PickleValue[]): boolean {
    const list = this.#pop()
    if (!(list instanceof PickleList)) throw damaged('an append has no list')
    for (const item of items) list.items.push(item)
    return this.#push(list)
  }

  #setItems(items: readonly PickleValue[]): boolean {
    const dict = this.#pop()
    if (!(dict instanceof PickleDict) || items.length % 2 !== 0) throw damaged('an assignment has no dict or no value')
    for (let i = 0; i < items.length; i += 2) dict.entries.set(items[i] ?? null, items[i + 1] ?? null)
    return this.#push(dict)
  }

  #remember(index: number): boolean {
    if (this.#memo.size >= maxMemo) throw damaged(`its memo exceeds ${maxMemo} values`)
    const top = this.#stack.at(-1)
    if (top === undefined || top === mark) throw damaged('nothing to memoize')
    this.#memo.set(index, top)
    return true
  }

  #recall(index: number): PickleValue {
    const value = this.#memo.get(index)
    if (value === undefined) throw damaged(`memo ${index} is empty`)
    return value
  }

  #pushNew(value: PickleValue): boolean {
    if (++this.#objects > maxObjects) throw damaged(`it makes more than ${maxObjects} objects`)
    return this.#push(value)
  }

  #push(value: PickleValue): boolean {
    this.#stack.push(value)
    return true
  }

  #pop(): PickleValue {
    const value = this.#stack.pop()
    if (value === undefined || value === mark) throw damaged('its stack is empty')
    return value
  }

  #popMany(count: number): PickleValue[] {
    return Array.from({ length: count }, () => this.#pop()).reverse()
  }

  #popToMark(): PickleValue[] {
    const items: PickleValue[] = []
    for (;;) {
      const value = this.#stack.pop()
      if (value === undefined) throw damaged('a mark is missing')
      if (value === mark) return items.reverse()
      items.push(value)
    }
  }

  #take(length: number): number {
    const start = this.#position
    if (start + length > this.#bytes.length) throw damaged('it ends too early')
    this.#position = start + length
    return start
  }

  #byte(): number {
    return this.#view.getUint8(this.#take(1))
  }

  #uint32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  #long(length: number): number | bigint {
    const start = this.#take(length)
    const hex = Buffer.from(this.#bytes.subarray(start, start + length))
      .reverse()
      .toString('hex')
    const value = BigInt.asIntN(length * 8, BigInt(`0x0${hex}`))
    return Number.isSafeInteger(Number(value)) ? Number(value) : value
  }

  #string(length: number): string {
    return this.#decode(this.#take(length), this.#position)
  }

  #line(): string {
    const start = this.#position
    const end = this.#bytes.indexOf(0x0a, start)
    if (end < 0) throw damaged('it ends too early')
    this.#position = end + 1
    return this.#decode(start, end)
  }

  #decode(start: number, end: number): string {
    try {
      return this.#text.decode(this.#bytes.subarray(start, end))
    } catch {
      throw damaged(`bytes ${start} to ${end} are not UTF-8`)
    }
  }
}
