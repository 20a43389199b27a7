// Owns: one step of work as a person sees it: a live line on a terminal, a plain line in a pipe.
// Must not know: what the steps are.

import { spawn } from 'node:child_process'
import { root } from './paths.mjs'

const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const tailLines = 30
/** A step's processes form a group, so that they can be ended together; Windows has no such thing. */
const ownGroup = process.platform !== 'win32'

/** A failure that is told to the person as it is, without a stack. */
export class StepError extends Error {
  name = 'StepError'
  /** @param {string} message @param {string} [remedy] what to do about it */
  constructor(message, remedy) {
    super(message)
    this.remedy = remedy
  }
}

/**
 * Runs a command as one step and shows its last line while it runs. Rejects with a StepError that holds the end of its
 * output.
 *
 * @param {string} title what the step does, e.g. 'Installing dependencies'
 * @param {[string, string[]]} command
 * @param {{ env?: NodeJS.ProcessEnv, remedy?: (output: string) => string | undefined }} [options]
 */
export async function runStep(title, [command, args], options = {}) {
  const line = startLine(title)
  const { output, failure } = await capture(command, args, options.env, (text) => line.detail(text))
  if (failure === undefined) return line.end(true)
  line.end(false)
  const tail = output.trimEnd().split('\n').slice(-tailLines).join('\n')
  throw new StepError(`${title} failed: ${failure}\n\n${tail}\n`, options.remedy?.(output))
}

function capture(command, args, env, onLine) {
  return new Promise((resolve) => {
    const stdio = ['ignore', 'pipe', 'pipe']
    const child = spawn(command, args, { cwd: root, env: env ?? process.env, stdio, detached: ownGroup })
    let output = ''
    const collect = (chunk) => {
      output += chunk
      const last = chunk.trimEnd().split('\n').at(-1)
      if (last) onLine(last)
    }
    child.stdout.setEncoding('utf8').on('data', collect)
    child.stderr.setEncoding('utf8').on('data', collect)
    const release = endWithChild(child)
    const settle = (failure) => {
      release()
      resolve({ output, failure })
    }
    child.on('error', (error) => settle(error.message))
    child.on('close', (code, signal) =>
      settle(code === 0 ? undefined : signal ? `ended by ${signal}` : `exit code ${code}`),
    )
  })
}

/** Ctrl-C and a polite kill end the step's processes too, also those that npm started. */
function endWithChild(child) {
  const stop = (signal) => {
    if (ownGroup && child.pid !== undefined) process.kill(-child.pid, signal)
    else child.kill(signal)
    process.stderr.write('\n')
    process.exit(signal === 'SIGINT' ? 130 : 143)
  }
  process.once('SIGINT', stop).once('SIGTERM', stop)
  return () => process.off('SIGINT', stop).off('SIGTERM', stop)
}

function startLine(title) {
  const started = performance.now()
  const seconds = () => `${((performance.now() - started) / 1000).toFixed(1)} s`
  const stream = process.stderr
  if (!stream.isTTY) {
    stream.write(`${title} … `)
    return { detail() {}, end: (ok) => void stream.write(`${ok ? 'done' : 'failed'}, ${seconds()}\n`) }
  }
  let frame = 0
  let detail = ''
  const draw = () => {
    const head = `${spinner[frame++ % spinner.length]} ${title}  ${seconds()}  `
    const room = Math.max(0, (stream.columns ?? 80) - head.length - 1)
    stream.write(`\r\x1b[K${head}\x1b[2m${detail.slice(0, room)}\x1b[22m`)
  }
  const timer = setInterval(draw, 100)
  draw()
  return {
    // Colours and cursor moves of a tool would break the line.
    detail: (text) =>
      void (detail = text
        .replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '')
        .replace(/[\x00-\x1f]/g, ' ')
        .trim()),
    end(ok) {
      clearInterval(timer)
      stream.write(`\r\x1b[K${ok ? '\x1b[32m✔' : '\x1b[31m✖'}\x1b[39m ${title}  \x1b[2m${seconds()}\x1b[22m\n`)
    },
  }
}
