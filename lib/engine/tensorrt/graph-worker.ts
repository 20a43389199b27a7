// Owns: the thread that converts weights and writes graphs, so that the JavaScript thread need not: one request at a time.
// Must not know: plans, GPUs, sessions.

import { createHash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { VideoDepthError } from '../../base/errors.js'
import {
  prepareDepthDecoder,
  prepareEncoder,
  prepareStreamStep,
  prepareTemporalHead,
  readGraph,
  type PreparedGraph,
} from '../../prepare/graph/prepare-graphs.js'
import { prepareWeights, type PreparedWeights } from '../../prepare/graph/prepare-weights.js'
import type { LoadProgress } from '../engine.js'
import type { GraphFile, GraphFileRequest, GraphMessage, StopRequest, WeightsRequest } from './graph-protocol.js'
import type { GraphRequest } from './plan-spec.js'

if (parentPort === null) throw new Error('graph-worker runs in a worker thread')
const port = parentPort
const stop = new AbortController()

port.on('message', (message: WeightsRequest | GraphFileRequest | StopRequest) => {
  if (message.op === 'stop') stop.abort()
  else void answer(message)
})

async function answer(message: WeightsRequest | GraphFileRequest): Promise<void> {
  try {
    post({ value: message.op === 'weights' ? await weights(message) : await graphFile(message) })
  } catch (error) {
    const { message: text, stack } = error instanceof Error ? error : new Error(String(error))
    const code = error instanceof VideoDepthError ? error.code : undefined
    post({ error: { code, message: text, ...(stack !== undefined && { stack }) } })
  }
}

function post(message: GraphMessage): void {
  port.postMessage(message)
}

function weights({ op: _, ...request }: WeightsRequest): Promise<PreparedWeights> {
  return prepareWeights({
    ...request,
    signal: stop.signal,
    onProgress: (progress: LoadProgress) => post({ progress }),
  })
}

async function graphFile({ weights: prepared, request }: GraphFileRequest): Promise<GraphFile> {
  const { path, ports } = await prepare(prepared, request)
  const sha256 = createHash('sha256')
    .update(await readGraph(path))
    .digest('hex')
  return { path, sha256, ports }
}

function prepare(prepared: PreparedWeights, request: GraphRequest): Promise<PreparedGraph> {
  const { variant } = request.form
  switch (request.kind) {
    case 'encoder':
      return prepareEncoder(prepared, request.shape, variant)
    case 'temporal-head':
      return prepareTemporalHead(prepared, request.shape, variant)
    case 'depth-decoder':
      return prepareDepthDecoder(prepared, request.shape, variant)
    case 'stream-step':
      return prepareStreamStep(prepared, request.shape, variant)
  }
}
