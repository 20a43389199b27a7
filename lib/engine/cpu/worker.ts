// Owns: the CPU engine's thread: it answers requests one after another and keeps sessions' feature slots.
// Must not know: windows' meaning, videos, the main thread's promises.

import { setImmediate as breathe } from 'node:timers/promises'
import { parentPort } from 'node:worker_threads'
import { loadAddon } from '../../native/addon.js'
import { shortageOf, VideoDepthError } from '../../base/errors.js'
import type { LoadProgress, SessionGeometry, StreamState } from '../engine.js'
import { loadModel, type LoadedModel } from './load-model.js'
import type { CpuNetwork, Preparation } from './network.js'
import { CpuNetworks } from './networks.js'
import { nativeCpu } from './processor.js'
import type {
  CpuMessage,
  CpuRequest,
  CpuReplies,
  DecodeReply,
  DecodeRequest,
  EncodeReply,
  EncodeRequest,
  LoadReply,
  LoadRequest,
  OpenRequest,
  OpenStreamRequest,
  StepRequest,
} from './protocol.js'
import { CpuStream } from './stream.js'

interface Session {
  readonly geometry: SessionGeometry
  readonly network: CpuNetwork
  /** Features, allocated when a slot is first used. */
  readonly slots: (object | undefined)[]
}

interface Stream {
  readonly network: CpuNetwork
  readonly stream: CpuStream
}

interface Loaded extends LoadedModel {
  readonly networks: CpuNetworks
  readonly threads: number
}

type Envelope = CpuRequest & { readonly id: number }

if (parentPort === null) throw new Error("the CPU engine's worker runs in a worker thread")
const port = parentPort
const addon = loadAddon()
const sessions = new Map<number, Session>()
const streams = new Map<number, Stream>()
const closed = new Set<number>()
const aborts = new Map<number, AbortController>()
let loaded: Loaded | undefined
let queue: Promise<void> = Promise.resolve()

port.on('message', (message: Envelope) => {
  // These overtake the queue; the rest is answered in order.
  if (message.op === 'shutdown') {
    for (const abort of aborts.values()) abort.abort()
    queue = queue.then(() => process.exit())
    return
  }
  if (message.op === 'abort') {
    aborts.get(message.target)?.abort()
    return
  }
  if (message.op === 'close') closed.add(message.session)
  aborts.set(message.id, new AbortController())
  queue = queue.then(() => answer(message))
})

async function answer(message: Envelope): Promise<void> {
  await breathe() // what computes may block for seconds: lets a close, an abort or a shutdown in first
  try {
    const { value, transfer } = await handle(message)
    post({ id: message.id, value }, transfer)
  } catch (error) {
    post({ id: message.id, error: wireError(error, aborts.get(message.id)?.signal) })
  } finally {
    aborts.delete(message.id)
  }
}

function post(message: CpuMessage, transfer: readonly ArrayBuffer[] = []): void {
  port.postMessage(message, transfer)
}

interface Answer {
  readonly value: unknown
  readonly transfer?: readonly ArrayBuffer[]
}

async function handle(message: Envelope): Promise<Answer> {
  const signal = aborts.get(message.id)?.signal ?? AbortSignal.abort()
  signal.throwIfAborted()
  const onProgress = (progress: LoadProgress): void => post({ id: message.id, progress })
  const preparation = { signal, onProgress }
  switch (message.op) {
    case 'load':
      return { value: await load(message, preparation) }
    case 'open':
      return { value: await open(message, preparation) }
    case 'encode':
      return { value: await encode(message) }
    case 'decode': {
      const value = await decode(message)
      return { value, transfer: value.maps.flatMap((map) => (map === null ? [] : [map.buffer])) }
    }
    case 'open-stream':
      return { value: await openStream(message, preparation) }
    case 'step': {
      const value = await step(message)
      return { value, transfer: [value.depth.buffer] }
    }
    case 'export': {
      const value = findStream(message.session).exportState()
      return { value, transfer: buffersOf(value) }
    }
    case 'import':
      findStream(message.session).importState(message.state)
      return { value: null }
    case 'close':
      sessions.delete(message.session)
      streams.get(message.session)?.stream.release()
      streams.delete(message.session)
      closed.delete(message.session)
      return { value: null }
    case 'abort':
    case 'shutdown':
      return { value: null }
  }
}

async function load({ threads, ...request }: LoadRequest, preparation: Preparation): Promise<LoadReply> {
  const model = await loadModel({ ...request, threads }, { addon, native: nativeCpu() }, preparation)
  loaded = { ...model, networks: new CpuNetworks(model.model), threads }
  const { architecture, recipe } = model.weights
  return { architecture, recipe, id: model.id, check: model.check }
}

async function open({ session, geometry }: OpenRequest, preparation: Preparation): Promise<null> {
  const network = await loadedModel().networks.forWindows(geometry, used(), preparation)
  sessions.set(session, { geometry, network, slots: new Array<undefined>(geometry.slots) })
  return null
}

async function openStream({ session, geometry }: OpenStreamRequest, preparation: Preparation): Promise<null> {
  const { networks, threads, variant } = loadedModel()
  const network = await networks.forStreams(geometry, used(), preparation)
  streams.set(session, { network, stream: new CpuStream({ addon, network, variant, threads }, geometry) })
  return null
}

function used(): Set<CpuNetwork> {
  return new Set([...sessions.values(), ...streams.values()].map(({ network }) => network))
}

function loadedModel(): Loaded {
  if (loaded === undefined) throw new VideoDepthError('ENGINE_FAILED', 'no checkpoint was loaded')
  return loaded
}

async function encode(request: EncodeRequest): Promise<EncodeReply> {
  const { geometry, network, slots } = openSession(request.session)
  const features = (slots[request.slot] ??= network.newFeatures())
  const started = performance.now()
  const { inputWidth, inputHeight } = geometry
  addon.preprocess(request.picture, network.pixels, inputWidth, inputHeight, loadedModel().threads)
  const preprocessed = performance.now()
  await network.encode(features)
  return { preprocess: (preprocessed - started) / 1000, encode: (performance.now() - preprocessed) / 1000 }
}

/** Runs the temporal head and then the depth decoder, position by position; the session may be closed in between. */
async function decode({ session, slots, wanted }: DecodeRequest): Promise<DecodeReply> {
  const { network, slots: filled } = openSession(session)
  const window = slots.map((slot) => featuresIn(filled, slot))
  const started = performance.now()
  await network.head(window)
  const headDone = performance.now()
  const maps: DecodeReply['maps'][number][] = window.map(() => null)
  for (const position of wanted) {
    await breathe() // lets a close message in
    openSession(session)
    const features = window[position]
    if (features === undefined) throw new VideoDepthError('ENGINE_FAILED', `position ${position} is outside the window`)
    const map = network.newMap()
    await network.decode(position, features, map)
    maps[position] = map
  }
  return { maps, temporalHead: (headDone - started) / 1000, depthDecoder: (performance.now() - headDone) / 1000 }
}

function featuresIn(slots: Session['slots'], slot: number): object {
  const features = slots[slot]
  if (features === undefined) throw new VideoDepthError('ENGINE_FAILED', `feature slot ${slot} is empty`)
  return features
}

function step({ session, picture, plan }: StepRequest): Promise<CpuReplies['step']> {
  return findStream(session).step(picture, plan, async () => {
    await breathe() // lets a close message in
    findStream(session)
  })
}

function findStream(id: number): CpuStream {
  const found = streams.get(id)
  if (found === undefined || closed.has(id)) throw new VideoDepthError('CLOSED', 'The stream was closed')
  return found.stream
}

function buffersOf({ memory, reference }: StreamState): ArrayBuffer[] {
  return reference === undefined ? [memory.buffer] : [memory.buffer, reference.buffer]
}

function openSession(id: number): Session {
  const session = sessions.get(id)
  if (session === undefined || closed.has(id)) throw new VideoDepthError('CLOSED', 'The session was closed')
  return session
}

function wireError(error: unknown, signal: AbortSignal | undefined): Extract<CpuMessage, { error: unknown }>['error'] {
  const cause = error instanceof Error ? error : new Error(String(error))
  const failed = shortageOf(error) ?? (signal?.aborted === true ? 'ABORTED' : 'ENGINE_FAILED')
  const code = error instanceof VideoDepthError ? error.code : failed
  return { code, message: cause.message, stack: cause.stack }
}
