// Owns: running the command line in a process of its own, and small inputs for it.
// Must not know: what a command does.

import { spawn } from 'node:child_process'
import path from 'node:path'
import sharp from 'sharp'
import packageRoot from '#lib/package-root.cjs'

export const cliMain = path.join(packageRoot, 'dist', 'esm', 'cli', 'main.js')

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export type Kill = (signal: NodeJS.Signals) => void

interface Running {
  readonly cwd: string
  readonly onStart?: (kill: Kill) => void
  /** Sees standard error as it comes. */
  readonly onText?: (text: string, kill: Kill) => void
}

/** Runs a command to its end, without the environment's checkpoint. */
export function runCli(args: readonly string[], { cwd, onStart, onText }: Running): Promise<Ended> {
  const { VIDEO_DEPTH_CHECKPOINT: _, ...env } = process.env
  const child = spawn(process.execPath, [cliMain, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const kill: Kill = (signal) => child.kill(signal)
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()))
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString()
    onText?.(stderr, kill)
  })
  onStart?.(kill)
  return new Promise((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
}

/** A picture of one colour. */
export async function flat(folder: string, name: string, width: number, height: number): Promise<void> {
  const image = sharp({ create: { width, height, channels: 3, background: { r: 200, g: 90, b: 40 } } })
  await image.png().toFile(path.join(folder, name))
}
