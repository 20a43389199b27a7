// Owns: running the command line, in a process of its own or in one for many runs, and small inputs for it.
// Must not know: what a command does.

import { fork, spawn, type ChildProcess } from 'node:child_process'
import path from 'node:path'
import sharp from 'sharp'
import packageRoot from '../../dist/esm/package-root.cjs'

export const cliMain = path.join(packageRoot, 'dist', 'esm', 'cli', 'main.js')

export interface CliText {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Ended extends CliText {
  readonly signal: NodeJS.Signals | null
  /** Bytes of standard output. */
  readonly bytes: Buffer
}

export type Kill = (signal: NodeJS.Signals) => void

interface Running {
  readonly cwd: string
  /** For standard input, which is closed after it; default: none. */
  readonly input?: Uint8Array
  /** Instead of the arguments: a command line for the shell. */
  readonly shell?: string
  readonly onStart?: (kill: Kill) => void
  /** Sees standard error as it comes. */
  readonly onText?: (text: string, kill: Kill) => void
}

/** Runs a command to its end, without the environment's checkpoint. */
export function runCli(args: readonly string[], { cwd, input, shell, onStart, onText }: Running): Promise<Ended> {
  const [command, words] = shell === undefined ? [process.execPath, [cliMain, ...args]] : ['sh', ['-c', shell]]
  const child = spawn(command, words, { cwd, env: cliEnvironment(), stdio: 'pipe' })
  child.stdin.on('error', () => undefined) // a command may end without having read all of it
  child.stdin.end(input)
  const kill: Kill = (signal) => child.kill(signal)
  const chunks: Buffer[] = []
  let stderr = ''
  child.stdout.on('data', (data: Buffer) => chunks.push(data))
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString()
    onText?.(stderr, kill)
  })
  onStart?.(kill)
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      const bytes = Buffer.concat(chunks)
      resolve({ code, signal, stdout: bytes.toString(), bytes, stderr })
    })
  })
}

export interface CliRequest {
  readonly args: readonly string[]
  readonly cwd: string
}

/** Command lines in one process, one after another: what they print and their exit codes, without half a second's start each. */
export class CliHost {
  readonly #child: ChildProcess
  #last: Promise<unknown> = Promise.resolve()

  constructor() {
    const file = new URL('./cli-host.js', import.meta.url)
    this.#child = fork(file, [cliMain], { env: cliEnvironment(), execArgv: ['--enable-source-maps'] })
  }

  run(args: readonly string[], { cwd }: { readonly cwd: string }): Promise<CliText> {
    const run = this.#last.then(() => this.#one({ args, cwd }))
    this.#last = run.catch(() => undefined)
    return run
  }

  #one(request: CliRequest): Promise<CliText> {
    return new Promise((resolve, reject) => {
      const crashed = (code: number | null): void => reject(new Error(`The command lines' process ended with ${code}`))
      this.#child.once('exit', crashed).once('message', (ended) => {
        this.#child.off('exit', crashed)
        resolve(ended as CliText)
      })
      this.#child.send(request)
    })
  }

  /** Ends the process. */
  close(): void {
    this.#child.disconnect()
  }
}

export function cliEnvironment(): NodeJS.ProcessEnv {
  const { VIDEO_DEPTH_CHECKPOINT: _, ...env } = process.env
  return env
}

/** A picture of one colour. */
export async function flat(folder: string, name: string, width: number, height: number): Promise<void> {
  const image = sharp({ create: { width, height, channels: 3, background: { r: 200, g: 90, b: 40 } } })
  await image.png().toFile(path.join(folder, name))
}
