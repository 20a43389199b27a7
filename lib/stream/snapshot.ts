// Owns: the bytes of a stream's snapshot: layout, version, sizes, checksum.
// Must not know: engines, queues, what a restored stream does.

import { setImmediate as breathe } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import { partsOfId } from '../engine/engine-id.js'
import type { StreamGeometry, StreamState } from '../engine/engine.js'
import { VideoDepthError } from '../base/errors.js'
import { type NativePicture, mostPixels, resolvePicture } from '../base/pixel-format.js'

/** All that goes on in the next frame. */
export interface StreamSnapshot {
  /** Engine.id */
  readonly engine: string
  readonly geometry: StreamGeometry
  /** Frames since the stream began or was reset, at least 1. */
  readonly frames: number
  /** Index of the next result. */
  readonly nextIndex: number
  /** Milliseconds since the first frame came. */
  readonly elapsedMs: number
  readonly scene: { readonly index: number; readonly length: number }
  readonly state: StreamState
  /** The last picture, where cuts are looked for. */
  readonly lastPicture: NativePicture | undefined
}

const magic = 'VDSTREAM'
const version = 1
/** magic, then version, header bytes and CRC-32 of all that follows, little-endian uint32 each. */
const prefixBytes = magic.length + 12
/** Bytes handled in one go: about a millisecond. */
const sliceBytes = 1 << 22

interface Header extends Omit<StreamSnapshot, 'state' | 'lastPicture'> {
  /** Absent where it is empty. */
  readonly variant?: string
  readonly scale: number
  readonly shift: number
  /** Bytes of the sections, in order; 0 for one that is not there. */
  readonly memoryBytes: number
  readonly referenceBytes: number
  readonly pictureBytes: number
  readonly picture: Omit<NativePicture, 'data'> | undefined
}

/** Leaves the JavaScript thread free in between: a state may have hundreds of megabytes. */
export async function encodeSnapshot(snapshot: StreamSnapshot): Promise<Uint8Array<ArrayBuffer>> {
  const { state, lastPicture, ...rest } = snapshot
  const { data = new Uint8Array(0), ...picture } = lastPicture ?? {}
  const { memory } = state
  const reference = state.reference === undefined ? new Uint8Array(0) : bytesOf(state.reference)
  const header: Header = {
    ...rest,
    ...(state.variant !== '' && { variant: state.variant }),
    scale: state.scale,
    shift: state.shift,
    memoryBytes: memory.length,
    referenceBytes: reference.length,
    pictureBytes: data.length,
    picture: lastPicture === undefined ? undefined : (picture as Omit<NativePicture, 'data'>),
  }
  const text = new TextEncoder().encode(JSON.stringify(header))
  const sections = [text, memory, reference, data]
  const bytes = new Uint8Array(prefixBytes + sections.reduce((sum, section) => sum + section.length, 0))
  let at = prefixBytes
  for (const section of sections) at = await copy(section, bytes, at)
  bytes.set(new TextEncoder().encode(magic))
  const view = new DataView(bytes.buffer)
  view.setUint32(magic.length, version, true)
  view.setUint32(magic.length + 4, text.length, true)
  view.setUint32(magic.length + 8, await checksum(bytes.subarray(prefixBytes)), true)
  return bytes
}

/** @throws VideoDepthError SNAPSHOT_MISMATCH saying what is wrong with the bytes */
export async function decodeSnapshot(given: Uint8Array): Promise<StreamSnapshot> {
  if (!(given instanceof Uint8Array)) throw mismatch('Expected a Uint8Array')
  const bytes = await ownCopy(given) // what is checked is what is used, whatever the caller does with its buffer
  if (bytes.length < prefixBytes || new TextDecoder().decode(bytes.subarray(0, magic.length)) !== magic)
    throw mismatch('These bytes are no snapshot of a stream')
  const view = new DataView(bytes.buffer)
  const found = view.getUint32(magic.length, true)
  if (found !== version) throw mismatch(`The snapshot is of version ${found}, this package reads version ${version}`)
  const headerEnd = prefixBytes + view.getUint32(magic.length + 4, true)
  if (
    view.getUint32(magic.length + 8, true) !== (await checksum(bytes.subarray(prefixBytes))) ||
    headerEnd > bytes.length
  )
    throw mismatch('The snapshot is truncated or damaged')
  const header = parseHeader(bytes.subarray(prefixBytes, headerEnd))
  const { variant = '', scale, shift, memoryBytes, referenceBytes, pictureBytes, picture, ...rest } = header
  if (headerEnd + memoryBytes + referenceBytes + pictureBytes !== bytes.length)
    throw mismatch(`The snapshot's parts do not add up to its ${bytes.length} bytes`)
  let at = headerEnd
  const section = (length: number): Promise<Uint8Array<ArrayBuffer>> => ownCopy(bytes.subarray(at, (at += length)))
  const memory = await section(memoryBytes)
  const reference = referenceBytes === 0 ? undefined : floatsOf(await section(referenceBytes))
  const data = await section(pictureBytes)
  return { ...rest, state: { variant, memory, reference, scale, shift }, lastPicture: pictureOf(picture, data) }
}

/** @throws VideoDepthError SNAPSHOT_MISMATCH where the bytes are taken away meanwhile */
async function ownCopy(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const { length } = bytes
  const own = new Uint8Array(length)
  for (let start = 0; start < length; start += sliceBytes) {
    if (start > 0) await breathe()
    if (bytes.length !== length) throw mismatch("The snapshot's buffer was resized or transferred while it was read")
    own.set(bytes.subarray(start, start + sliceBytes), start)
  }
  return own
}

function pictureOf(layout: Header['picture'], data: Uint8Array): NativePicture | undefined {
  try {
    return layout === undefined ? undefined : resolvePicture({ ...layout, data }, 'The last picture')
  } catch (cause) {
    throw mismatch(`The snapshot makes no sense: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

/** A checksum finds damage, not bytes that somebody else has made. */
function parseHeader(bytes: Uint8Array): Header {
  let header: Header
  try {
    header = JSON.parse(new TextDecoder().decode(bytes)) as Header
    const { frames, nextIndex, elapsedMs, scene, scale, shift, geometry } = header
    const { memoryBytes, referenceBytes, pictureBytes } = header
    const counts = [frames, nextIndex, scene.index, scene.length, memoryBytes, referenceBytes, pictureBytes]
    const sides = [geometry.frameWidth, geometry.frameHeight, geometry.inputWidth, geometry.inputHeight]
    const sound =
      [...counts, ...sides].every((count) => Number.isSafeInteger(count) && count >= 0) &&
      frames >= 1 &&
      sides.every((side) => side >= 1 && side <= mostPixels) &&
      referenceBytes % Float32Array.BYTES_PER_ELEMENT === 0 &&
      ['string', 'undefined'].includes(typeof header.variant) &&
      [elapsedMs, scale, shift].every(Number.isFinite)
    if (sound) return header
  } catch {
    // What cannot be read at all is as unsound.
  }
  throw mismatch("The snapshot's header makes no sense")
}

/** @param from Engine.id of the snapshot; @param to and of the model. @throws VideoDepthError SNAPSHOT_MISMATCH */
export function checkEngine(from: string, to: string): void {
  if (from === to) return
  const [theirs, ours] = [partsOfId(from), partsOfId(to)]
  if (theirs.network !== ours.network)
    throw mismatch(`The snapshot is of another network (${from}) than this model (${to})`)
  throw mismatch(
    `The snapshot was made by other kernels or precision (${theirs.arithmetic}) than this model's (${ours.arithmetic})`,
  )
}

export function mismatch(message: string): VideoDepthError {
  return new VideoDepthError('SNAPSHOT_MISMATCH', message)
}

async function copy(from: Uint8Array, to: Uint8Array, at: number): Promise<number> {
  for (let start = 0; start < from.length; start += sliceBytes) {
    if (start > 0) await breathe()
    to.set(from.subarray(start, start + sliceBytes), at + start)
  }
  return at + from.length
}

async function checksum(bytes: Uint8Array): Promise<number> {
  let crc = 0
  for (let start = 0; start < bytes.length; start += sliceBytes) {
    if (start > 0) await breathe()
    crc = crc32(bytes.subarray(start, start + sliceBytes), crc)
  }
  return crc
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function floatsOf({ buffer }: Uint8Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  return new Float32Array(buffer)
}
