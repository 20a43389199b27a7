// Owns: the CPU engine's thread: it answers requests one after another and keeps sessions' feature slots.
// Must not know: windows' meaning, videos, the main thread's promises.

import { setImmediate as breathe } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { loadAddon } from '../binding.js'
import { VideoDepthError } from '../errors.js'
import { emitterVersion } from '../graph/builder.js'
import { prepareWeights } from '../graph/prepare-weights.js'
import type { CpuNetwork, Features } from './cpu-network.js'
import { CpuNetworks } from './cpu-networks.js'
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
} from './cpu-protocol.js'
import { CpuStream } from './cpu-stream.js'
import type { WindowHead } from './cpu-window-head.js'
import type { LoadProgress, SessionGeometry, StreamState } from './engine.js'
import { RunGate } from './run-gate.js'

interface Session {
  readonly geometry: SessionGeometry
  readonly network: CpuNetwork
  readonly head: WindowHead
  /** Allocated when a slot is first used. */
  readonly slots: (Features | undefined)[]
}

interface Stream {
  readonly network: CpuNetwork
  readonly stream: CpuStream
}

interface LoadedModel {
  readonly networks: CpuNetworks
  readonly threads: number
}

type Envelope = CpuRequest & { readonly id: number }

if (parentPort === null) throw new Error('cpu-worker runs in a worker thread')
const port = parentPort
const gate = new RunGate((workerData as { gate: Int32Array }).gate)
const addon = loadAddon()
const sessions = new Map<number, Session>()
const streams = new Map<number, Stream>()
const closed = new Set<number>()
const aborts = new Map<number, AbortController>()
let loaded: LoadedModel | undefined
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
  switch (message.op) {
    case 'load':
      return { value: await load(message, signal, onProgress) }
    case 'open':
      return { value: await open(message, signal, onProgress) }
    case 'encode':
      return { value: await encode(message) }
    case 'decode': {
      const value = await decode(message)
      return { value, transfer: value.maps.flatMap((map) => (map === null ? [] : [map.buffer])) }
    }
    case 'open-stream':
      return { value: await openStream(message, signal, onProgress) }
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
      streams.delete(message.session)
      closed.delete(message.session)
      return { value: null }
    case 'abort':
    case 'shutdown':
      return { value: null }
  }
}

async function load(
  request: LoadRequest,
  signal: AbortSignal,
  onProgress: (p: LoadProgress) => void,
): Promise<LoadReply> {
  const { checkpoint, cacheDir, precision, taps } = request
  const weights = await prepareWeights({
    checkpoint,
    precision,
    signal,
    onProgress,
    ...(cacheDir !== undefined && { cacheDir }),
    ...(taps !== undefined && { taps }),
  })
  const { threads } = request
  loaded = { networks: new CpuNetworks(weights, threads, gate), threads }
  const id = [weights.sha256, emitterVersion, weights.architecture.taps.join('-'), precision, 'cpu'].join('.')
  return { architecture: weights.architecture, id }
}

async function open(request: OpenRequest, signal: AbortSignal, onProgress: (p: LoadProgress) => void): Promise<null> {
  const { session, geometry } = request
  const { network, head } = await loadedModel().networks.forWindows(geometry, used(), { signal, onProgress })
  sessions.set(session, { geometry, network, head, slots: new Array<undefined>(geometry.slots) })
  return null
}

async function openStream(
  { session, geometry }: OpenStreamRequest,
  signal: AbortSignal,
  onProgress: (p: LoadProgress) => void,
): Promise<null> {
  const { networks, threads } = loadedModel()
  const { network, head } = await networks.forStreams(geometry, used(), { signal, onProgress })
  streams.set(session, { network, stream: new CpuStream(addon, network, head, geometry, threads) })
  return null
}

function used(): Set<CpuNetwork> {
  return new Set([...sessions.values(), ...streams.values()].map(({ network }) => network))
}

function loadedModel(): LoadedModel {
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
  const { network, head, slots: filled } = openSession(session)
  const window = slots.map((slot) => featuresIn(filled, slot))
  const started = performance.now()
  const paths = await head.run(window)
  const headDone = performance.now()
  const maps: DecodeReply['maps'][number][] = window.map(() => null)
  for (const position of wanted) {
    await breathe() // lets a close message in
    openSession(session)
    const [path, features] = [paths[position], window[position]]
    if (path === undefined || features === undefined)
      throw new VideoDepthError('ENGINE_FAILED', `position ${position} is outside the window`)
    const map = network.newMap()
    await network.decode(path, features, map)
    maps[position] = map
  }
  return { maps, temporalHead: (headDone - started) / 1000, depthDecoder: (performance.now() - headDone) / 1000 }
}

function featuresIn(slots: Session['slots'], slot: number): Features {
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
  const code = error instanceof VideoDepthError ? error.code : signal?.aborted === true ? 'ABORTED' : 'ENGINE_FAILED'
  return { code, message: cause.message, stack: cause.stack }
}
