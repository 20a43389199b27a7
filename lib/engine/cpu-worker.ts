// Owns: the CPU engine's thread: it answers requests one after another and keeps sessions' feature slots.
// Must not know: windows' meaning, videos, the main thread's promises.

import { parentPort, workerData } from 'node:worker_threads'
import { loadAddon } from '../binding.js'
import { VideoDepthError } from '../errors.js'
import { prepareGraphs, prepareWeights, type PreparedWeights } from '../graph/cache.js'
import { patchSize } from '../model/input-size.js'
import { CpuNetwork, type Features } from './cpu-network.js'
import type {
  CpuMessage,
  CpuRequest,
  DecodeReply,
  DecodeRequest,
  EncodeReply,
  EncodeRequest,
  LoadReply,
  LoadRequest,
  OpenRequest,
} from './cpu-protocol.js'
import type { LoadProgress, SessionGeometry } from './engine.js'
import { RunGate } from './run-gate.js'

interface Session {
  readonly geometry: SessionGeometry
  readonly key: string
  readonly network: CpuNetwork
  /** Allocated when a slot is first used. */
  readonly slots: (Features | undefined)[]
}

type Envelope = CpuRequest & { readonly id: number }

if (parentPort === null) throw new Error('cpu-worker runs in a worker thread')
const port = parentPort
const gate = new RunGate((workerData as { gate: Int32Array }).gate)
const addon = loadAddon()
const sessions = new Map<number, Session>()
const closed = new Set<number>()
const networks = new Map<string, CpuNetwork>()
const aborts = new Map<number, AbortController>()
let loaded: { request: LoadRequest; weights: PreparedWeights } | undefined
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
    case 'close':
      sessions.delete(message.session)
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
  loaded = { request, weights }
  return { architecture: weights.architecture }
}

async function open(request: OpenRequest, signal: AbortSignal, onProgress: (p: LoadProgress) => void): Promise<null> {
  const { geometry } = request
  const key = `${geometry.inputWidth}x${geometry.inputHeight}x${geometry.windowLength}`
  const network = networks.get(key) ?? (await createNetwork(key, geometry, signal, onProgress))
  sessions.set(request.session, { geometry, key, network, slots: new Array<undefined>(geometry.slots) })
  return null
}

async function createNetwork(
  key: string,
  geometry: SessionGeometry,
  signal: AbortSignal,
  onProgress: (p: LoadProgress) => void,
): Promise<CpuNetwork> {
  if (loaded === undefined) throw new VideoDepthError('ENGINE_FAILED', 'no checkpoint was loaded')
  await releaseUnused()
  const paths = await prepareGraphs(loaded.weights, {
    rows: geometry.inputHeight / patchSize,
    cols: geometry.inputWidth / patchSize,
    windowLength: geometry.windowLength,
    encoderBatch: 1,
    decoderBatch: 1,
    signal,
    onProgress,
  })
  signal.throwIfAborted()
  onProgress({ phase: 'sessions', fraction: 0 })
  const network = await CpuNetwork.create(paths, loaded.request.threads, gate, signal)
  networks.set(key, network)
  return network
}

/** A geometry that no session uses is kept until another one is asked for. */
async function releaseUnused(): Promise<void> {
  const used = new Set([...sessions.values()].map(({ key }) => key))
  for (const [key, network] of networks) {
    if (used.has(key)) continue
    networks.delete(key)
    await network.release()
  }
}

async function encode(request: EncodeRequest): Promise<EncodeReply> {
  const { geometry, network, slots } = openSession(request.session)
  const features = (slots[request.slot] ??= network.newFeatures())
  const started = performance.now()
  const { frameWidth, frameHeight, inputWidth, inputHeight } = geometry
  const threads = loaded?.request.threads ?? 1
  addon.preprocess(
    request.frame,
    frameWidth,
    frameHeight,
    frameWidth * 3,
    network.pixels,
    inputWidth,
    inputHeight,
    threads,
  )
  const preprocessed = performance.now()
  await network.encode(features)
  return { preprocess: (preprocessed - started) / 1000, encode: (performance.now() - preprocessed) / 1000 }
}

async function decode(request: DecodeRequest): Promise<DecodeReply> {
  const { network, slots } = openSession(request.session)
  const window = request.slots.map((slot) => {
    const features = slots[slot]
    if (features === undefined) throw new VideoDepthError('ENGINE_FAILED', `feature slot ${slot} is empty`)
    return features
  })
  return network.decode(window, request.wanted, () => openSession(request.session))
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
