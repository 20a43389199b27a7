// Owns: a stream as an async iterable and as a pair of Web streams.
// Must not know: engines, how a stream computes.

import { setImmediate as breathe } from 'node:timers/promises'
import { invalidOption, VideoDepthError } from '../base/errors.js'
import { Mailbox, type QueuePolicy } from './mailbox.js'
import { unlessAborted } from '../base/unless-aborted.js'
import type { OwnedFrame, StreamDepth, StreamFrame } from './stream-frame.js'

/** A stream's inside, for its adapters. */
export interface StreamPort {
  readonly policy: QueuePolicy
  /** Checks and copies. */
  readonly own: (frame: StreamFrame) => OwnedFrame
  /** Undefined where the frame was dropped for one that somebody else pushed. */
  readonly compute: (frame: OwnedFrame) => Promise<StreamDepth | undefined>
  /** Counts `old` as dropped. @returns `next`, which begins anew where `old` would have */
  readonly replaced: (old: OwnedFrame, next: OwnedFrame) => OwnedFrame
  /** A frame that came and will not be computed: its reader left. */
  readonly discarded: (frame: OwnedFrame | undefined) => void
  /** Aborted at the stream's end, with its reason. */
  readonly life: AbortSignal
}

export type StreamFrames = Iterable<StreamFrame> | AsyncIterable<StreamFrame>

/** Nothing is read before the first depth is asked for. `return()` works also while a depth is waited for. */
export function depthsOf(port: StreamPort, frames: StreamFrames): AsyncIterableIterator<StreamDepth, undefined> {
  const iterable = frames as unknown
  if (
    typeof iterable !== 'object' ||
    iterable === null ||
    !(Symbol.asyncIterator in iterable || Symbol.iterator in iterable)
  )
    throw invalidOption('an iterable of frames', 'frames', frames)
  const box = new Mailbox<OwnedFrame>(port.policy, port.replaced)
  const depths = generate(box, port, frames)
  const iterator: AsyncIterableIterator<StreamDepth, undefined> = {
    next: () => depths.next(),
    return: () => {
      port.discarded(box.cancel())
      return depths.return(undefined)
    },
    [Symbol.asyncIterator]: () => iterator,
  }
  return iterator
}

async function* generate(
  box: Mailbox<OwnedFrame>,
  port: StreamPort,
  frames: StreamFrames,
): AsyncGenerator<StreamDepth, undefined> {
  const unlisten = onEnd(port.life, (error) => box.end({ error }))
  void fill(box, port, frames)
  try {
    for (let frame = await box.take(); frame !== undefined; frame = await box.take()) {
      const depth = await port.compute(frame)
      if (depth !== undefined) yield depth
    }
    return undefined
  } finally {
    unlisten()
    port.discarded(box.cancel())
  }
}

/** Reads as the box takes. At its end the frames are closed; a read that never ends is not waited for. */
async function fill(box: Mailbox<OwnedFrame>, port: StreamPort, frames: StreamFrames): Promise<void> {
  let iterator: Iterator<StreamFrame> | AsyncIterator<StreamFrame> | undefined
  let finished = false
  try {
    iterator = Symbol.asyncIterator in frames ? frames[Symbol.asyncIterator]() : frames[Symbol.iterator]()
    while (!box.over.aborted) {
      const result = await unlessAborted(Promise.resolve(iterator.next()), box.over)
      finished = result.done === true
      if (finished || !(await box.put(port.own(result.value as StreamFrame)))) break
      if (port.policy === 'latest') await breathe() // frames that are there at once would leave nobody else a turn
    }
    box.end()
  } catch (error) {
    box.end({ error })
  } finally {
    if (!finished) closeQuietly(iterator)
  }
}

/** At once where it was aborted before. @returns what takes that back */
function onEnd(signal: AbortSignal, tell: (reason: unknown) => void): () => void {
  const listener = (): void => tell(signal.reason)
  if (signal.aborted) listener()
  else signal.addEventListener('abort', listener, { once: true })
  return () => signal.removeEventListener('abort', listener)
}

/** Frames that fail to close have nobody to tell. */
function closeQuietly(frames: Iterator<unknown> | AsyncIterator<unknown> | undefined): void {
  Promise.resolve()
    .then(() => frames?.return?.())
    .catch(() => undefined)
}

/** Ends, errors and cancellations of either side reach the other at once. */
export function depthTransform(port: StreamPort): TransformStream<StreamFrame, StreamDepth> {
  const box = new Mailbox<OwnedFrame>(port.policy, port.replaced)
  let writing: WritableStreamDefaultController | undefined
  let reading: ReadableStreamDefaultController<StreamDepth> | undefined
  let unlisten = (): void => undefined
  const endReading = (error: unknown): void => {
    unlisten()
    box.end({ error })
    port.discarded(box.cancel())
    reading?.error(error)
  }
  const fail = (error: unknown): void => {
    endReading(error)
    writing?.error(error)
  }
  const writable = new WritableStream<StreamFrame>({
    start: (controller) => {
      writing = controller
      const signal = abortSignalOf(controller)
      // The writable side errors by itself.
      signal?.addEventListener('abort', () => endReading(signal.reason), { once: true })
    },
    write: async (frame) => {
      try {
        if (!(await box.put(port.own(frame)))) throw new VideoDepthError('CLOSED', 'Nobody reads any more')
      } catch (error) {
        box.end({ error }) // what came before it is still computed
        throw error
      }
    },
    close: () => box.end(),
  })
  const readable = new ReadableStream<StreamDepth>(
    {
      start: (controller) => {
        reading = controller
      },
      pull: async (controller) => {
        const depth = await nextDepth(box, port).catch((error: unknown) => {
          fail(error)
          throw error
        })
        if (depth !== undefined) controller.enqueue(depth)
        else {
          unlisten()
          controller.close()
        }
      },
      cancel: (reason: unknown) => {
        reading = undefined
        fail(reason ?? new TypeError('The readable side was cancelled'))
      },
    },
    { highWaterMark: 0 }, // computed when asked for
  )
  unlisten = onEnd(port.life, fail)
  return { readable, writable }
}

/** It is in the standard and in Node.js, but not in all type declarations. */
function abortSignalOf(controller: WritableStreamDefaultController): AbortSignal | undefined {
  return (controller as { readonly signal?: AbortSignal }).signal
}

/** Undefined at the end. */
async function nextDepth(box: Mailbox<OwnedFrame>, port: StreamPort): Promise<StreamDepth | undefined> {
  for (let frame = await box.take(); frame !== undefined; frame = await box.take()) {
    const depth = await port.compute(frame)
    if (depth !== undefined) return depth
  }
  return undefined
}
