// Owns: depth as bare float32 frames into a stream, such as a pipe to another program.
// Must not know: paths, other formats, the pipeline.

import { fstatSync, write as writeToFile } from 'node:fs'
import type { Writable } from 'node:stream'
import { promisify } from 'node:util'
import { invalidOption, VideoDepthError } from '../../base/errors.js'
import { bytesOf } from './depth-spill.js'
import { guardedSink } from './guarded-sink.js'
import { errorCode, outputError } from './output-errors.js'
import type { DepthSink } from './sink.js'

/**
 * Writes [height, width] float32, little-endian, frame after frame with nothing in between. `write()` resolves when the
 * stream has handed the frame on, so a slow reader slows the caller down. The stream is neither ended nor destroyed: it
 * is the caller's. `finish()` gives no paths; an abort does not take back what was written, and may cut a frame that is
 * under way.
 *
 * @param name for messages
 * @throws `OUTPUT_UNWRITABLE` the reader is gone, or the stream failed; `OUTPUT_FULL`
 */
export function rawStreamSink(out: Writable, name = 'standard output'): DepthSink {
  if (typeof (out as Writable | undefined)?.on !== 'function' || typeof out.write !== 'function')
    throw invalidOption('a stream to write to', 'out', out)
  let failure: VideoDepthError | undefined
  let rejectPending: ((reason: unknown) => void) | undefined
  const send = sender(out)
  const fail = (cause: unknown): void => {
    failure ??= streamError(name, cause)
    rejectPending?.(failure)
  }
  // A stream whose failure nobody listens to ends the process, so the listener stays.
  out.on('error', fail)
  return guardedSink(name, {
    write: (frame) =>
      new Promise<void>((resolve, reject) => {
        rejectPending = reject
        if (failure !== undefined) reject(failure)
        else send(bytesOf(frame.data)).then(resolve, fail)
      }),
    finish: () => (failure === undefined ? Promise.resolve([]) : Promise.reject(failure)),
    stop: () => rejectPending?.(new VideoDepthError('CLOSED', `${name} was aborted`)),
    discard: () => Promise.resolve(),
  })
}

/** Bytes into `out`, all of them or an error. */
export function sender(out: Writable): (bytes: Uint8Array) => Promise<void> {
  const file = fileBehind(out)
  if (file !== undefined) return (bytes) => writeFully(file, bytes)
  return (bytes) =>
    new Promise((resolve, reject) => {
      out.write(bytes, (error) => (error ? reject(error) : resolve()))
    })
}

/** What a failure to write to a stream means to the user; its cause is that of the system. */
export function streamError(name: string, cause: unknown): VideoDepthError {
  if (errorCode(cause) !== 'EPIPE') return outputError(name, cause)
  return new VideoDepthError('OUTPUT_UNWRITABLE', `Cannot write ${name}: its reader has closed it (EPIPE)`, { cause })
}

/**
 * The descriptor of a standard output that is a file or a device, undefined for all else: Node.js's stream for those does
 * not look whether all bytes were written, so a full disk would cut a frame unnoticed.
 */
function fileBehind(out: Writable): number | undefined {
  if (out !== process.stdout) return undefined
  const { fd, isTTY } = process.stdout as { readonly fd?: number; readonly isTTY?: boolean } // a worker's has none
  if (fd === undefined || isTTY === true) return undefined
  const found = fstatSync(fd)
  return found.isFile() || found.isCharacterDevice() ? fd : undefined
}

const writePart = promisify(writeToFile)

async function writeFully(file: number, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength;)
    done += (await writePart(file, bytes, done, bytes.byteLength - done)).bytesWritten
}
