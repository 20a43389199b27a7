// Owns: text to whoever started the command, who may have stopped reading, and errors as a person reads them.
// Must not know: any one command.

import { setImmediate } from 'node:timers/promises'
import { VideoDepthError } from '../errors.js'
import { errorCode } from '../io/output-errors.js'
import { sender, streamError } from '../io/raw-stream-sink.js'

/** Longest wait for a reader who takes nothing. Milliseconds. */
const flushMs = 1000

/** On standard error, or nowhere: what cannot be said is no reason to stop. */
export function tell(text: string, out: Pick<NodeJS.WriteStream, 'write'> = process.stderr): void {
  try {
    out.write(text)
  } catch {
    // A file on a full disk fails at once, a pipe later and by an event.
  }
}

/** On standard output. @throws VideoDepthError OUTPUT_UNWRITABLE, OUTPUT_FULL */
export async function print(text: string): Promise<void> {
  try {
    await sender(process.stdout)(Buffer.from(text))
  } catch (cause) {
    throw streamError('standard output', cause)
  }
}

/** Resolves when what was written has left, or nobody takes it. */
export async function flushed(): Promise<void> {
  await setImmediate() // a failure to write is told of in the next turn
  await Promise.all([process.stdout, process.stderr].map(emptied))
}

function emptied(out: NodeJS.WriteStream): Promise<void> {
  if (out.writableLength === 0) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, flushMs)
    out.write('', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** A message for what is foreseen, a stack for what is not. */
export function errorText(error: unknown): string {
  if (error instanceof VideoDepthError) return `${error.message} [${error.code}]`
  if (isFailedWrite(error)) return errorText(streamError('standard output', error))
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** Of a summary, by the system: all other outputs word their failures themselves. */
function isFailedWrite(error: unknown): boolean {
  return errorCode(error) !== undefined && (error as NodeJS.ErrnoException).syscall === 'write'
}
