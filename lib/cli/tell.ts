// Owns: text to whoever started the command, who may have stopped reading, and errors as a person reads them.
// Must not know: any one command.

import { setImmediate } from 'node:timers/promises'
import { shortageOf, VideoDepthError } from '../base/errors.js'
import { errorCode } from '../io/sinks/output-errors.js'
import { sender, streamError } from '../io/sinks/raw-stream-sink.js'
import { jsonLine, shown, shownLines } from '../base/outside-text.js'

/** Longest wait for a reader who takes nothing. Milliseconds. */
const flushMs = 1000

const mostStackLines = 30

type Output = Pick<NodeJS.WriteStream, 'write'>

/** Lines on standard error, or nowhere: what cannot be said is no reason to stop. Control characters are escaped. */
export function tell(lines: string, out: Output = process.stderr): void {
  writeOrNot(shownLines(lines), out)
}

/** Lines for a person on standard output. Control characters are escaped. */
export function say(lines: string, out: Output = process.stdout): void {
  out.write(shownLines(lines))
}

/** One object for a program on standard output. */
export function sayJson(value: unknown, out: Output = process.stdout): void {
  out.write(jsonLine(value))
}

/** Over the terminal's present line, cut to its width; nothing goes to the next line. */
export function overwriteLine(text: string, out: NodeJS.WriteStream): void {
  const columns = out.columns || 80 // 0 where the terminal does not know
  writeOrNot(`\r\u001b[K${shown(text).slice(0, Math.max(20, columns - 1))}`, out)
}

function writeOrNot(text: string, out: Output): void {
  try {
    out.write(text)
  } catch {
    // A file on a full disk fails at once, a pipe later and by an event.
  }
}

/** One object for a program on standard output, waited for. @throws VideoDepthError OUTPUT_UNWRITABLE, OUTPUT_FULL */
export async function printJson(value: unknown): Promise<void> {
  try {
    await sender(process.stdout)(Buffer.from(jsonLine(value)))
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
  const shortage = shortageOf(error) // while our own files are loaded
  if (shortage !== undefined) return `${shown((error as Error).message)} [${shortage}]`
  return longestStack(error instanceof Error ? (error.stack ?? error.message) : String(error))
}

/** The message in front may be anything. */
function longestStack(text: string): string {
  return text
    .split('\n')
    .slice(0, mostStackLines)
    .map((line) => shown(line))
    .join('\n')
}

/** The system could not write a summary: all other outputs word their failures themselves. */
function isFailedWrite(error: unknown): boolean {
  return errorCode(error) !== undefined && (error as NodeJS.ErrnoException).syscall === 'write'
}
