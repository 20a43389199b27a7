// Owns: the process that reads, as its parent sees it: started, watched, ended where it takes too much, started again.
// Must not know: what it reads.

import { fork, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** What reading one file may take: processor time, memory beyond what was in use before. */
const mostCpuMs = 2000
const mostMoreMiB = 300
/** For what waits instead of computing, on a machine that others keep busy. */
const mostWallMs = 120_000
/** Between two looks at what a read takes. */
const lookMs = 100

/** What the child says of one read. */
export interface Answer {
  /** `other`: an error that is not a VideoDepthError. */
  readonly outcome: 'value' | 'error' | 'other'
  /** An error's text, or a value that is a string. */
  readonly text: string
  readonly cpuMs: number
  /** Peak above what was in use before; 0 where an earlier peak was higher. */
  readonly moreMiB: number
}

export interface Reply extends Omit<Answer, 'outcome'> {
  readonly outcome: 'value' | 'error' | 'failure'
}

/** One reader in a process of its own. */
export class ReadingChild {
  readonly #args: readonly string[]
  #child: ChildProcess | undefined

  constructor(module: URL, reader: string) {
    this.#args = [module.href, reader]
  }

  async read(path: string): Promise<Reply> {
    const child = (this.#child ??= await started(this.#args))
    const reply = await watched(child, path)
    if (child.exitCode !== null || child.signalCode !== null) this.#child = undefined
    return reply
  }

  async close(): Promise<void> {
    if (this.#child !== undefined) await ended(this.#child)
    this.#child = undefined
  }
}

async function started(args: readonly string[]): Promise<ChildProcess> {
  const file = new URL('./mutation-child.js', import.meta.url)
  const child = fork(file, args, {
    execArgv: ['--expose-gc', '--enable-source-maps'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve())
    child.once('exit', () => reject(new Error(`the reading process did not start: ${args.join(' ')}`)))
  })
  return child
}

function watched(child: ChildProcess, path: string): Promise<Reply> {
  return new Promise((resolve) => {
    const before = used(child.pid)
    const start = performance.now()
    let stderr = ''
    const hear = (chunk: Buffer): void => {
      stderr = (stderr + chunk.toString()).slice(-2000)
    }
    const end = (reply: Reply): void => {
      clearInterval(timer)
      child.off('message', answered).off('exit', crashed)
      child.stderr?.off('data', hear)
      resolve(reply)
    }
    const failure = (text: string, cpuMs = 0, moreMiB = 0): void => {
      end({ outcome: 'failure', text, cpuMs, moreMiB })
    }
    const answered = (message: unknown): void => {
      const { outcome, ...answer } = message as Answer
      const { text, cpuMs, moreMiB } = answer
      if (outcome === 'other') failure(`not a VideoDepthError: ${text}`, cpuMs, moreMiB)
      else if (cpuMs > mostCpuMs) failure(`${cpuMs.toFixed(0)} ms of processor time`, cpuMs, moreMiB)
      else if (moreMiB > mostMoreMiB) failure(`${moreMiB.toFixed(0)} MiB more`, cpuMs, moreMiB)
      else end({ outcome, ...answer })
    }
    const crashed = (code: number | null, signal: string | null): void => {
      failure(`the process ended with ${signal ?? code}: ${stderr}`)
    }
    const look = (): void => {
      const now = used(child.pid)
      const [cpuMs, moreMiB] = [now.cpuMs - before.cpuMs, now.residentMiB - before.residentMiB]
      const takes =
        cpuMs > mostCpuMs + 200 // the child measures more exactly, where it comes to it
          ? `hangs: ${cpuMs.toFixed(0)} ms of processor time`
          : moreMiB > mostMoreMiB + 100
            ? `${moreMiB.toFixed(0)} MiB more`
            : performance.now() - start > mostWallMs
              ? `no answer for ${mostWallMs / 1000} s`
              : undefined
      if (takes === undefined) return
      clearInterval(timer)
      void ended(child).then(() => failure(takes, cpuMs, moreMiB))
    }
    const timer = setInterval(look, lookMs)
    child.stderr?.on('data', hear)
    child.on('message', answered).on('exit', crashed)
    child.send(path)
  })
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.removeAllListeners('exit').once('exit', () => resolve())
    child.kill('SIGKILL')
    if (child.exitCode !== null || child.signalCode !== null) resolve()
  })
}

/** What a process has used so far, where the system tells (Linux); 0 elsewhere, where the child's own figures and the wall's clock remain. */
function used(pid: number | undefined): { cpuMs: number; residentMiB: number } {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ')
    const ticks = Number(fields[11]) + Number(fields[12]) // of 10 ms
    return { cpuMs: 10 * ticks, residentMiB: Number(fields[21]) / 256 }
  } catch {
    return { cpuMs: 0, residentMiB: 0 }
  }
}
