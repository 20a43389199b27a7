// Owns: one trial of a program that is compared, in a fresh process: ours by script, anybody's by command.
// Must not know: what is measured, which programs there are.

import { execFileSync } from 'node:child_process'
import path from 'node:path'

const mostOutput = 1 << 26

/** @returns what the script prints; `{ refused }` where it does not take an option */
export function runScript(name, settings) {
  const script = path.join(import.meta.dirname, 'trials', `${name}.mjs`)
  const output = execFileSync(process.execPath, [script, JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: mostOutput,
  })
  return JSON.parse(output.toString())
}

/** @returns { secondsPerFrame, peakMemoryMiB } from the last line that the command prints */
export function runReference(command, { mode, clip, inputSize, threads, size, checkpoint }) {
  const output = execFileSync(command, {
    shell: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: mostOutput,
    env: {
      ...process.env,
      VIDEO_DEPTH_MODE: mode,
      VIDEO_DEPTH_CLIP: clip,
      VIDEO_DEPTH_INPUT_SIZE: String(inputSize),
      VIDEO_DEPTH_THREADS: String(threads),
      VIDEO_DEPTH_SIZE: size,
      VIDEO_DEPTH_CHECKPOINT: checkpoint,
    },
  })
  const line = output.toString().trim().split('\n').at(-1)
  const { secondsPerFrame, peakMemoryMiB } = parsed(line) ?? {}
  if (secondsPerFrame > 0 && peakMemoryMiB > 0) return { secondsPerFrame, peakMemoryMiB }
  throw new Error(
    `Expected a last line { "secondsPerFrame": n, "peakMemoryMiB": n } of the command for --reference, received ${line}`,
  )
}

function parsed(line) {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/**
 * What every benchmark asks for, checked: the list of precisions, and whether it was asked for.
 *
 * @returns { precisions, named }: where they were not named, one that the model does not take is only left out
 */
export function precisionList({ precision }) {
  const precisions = (precision ?? 'fp32,int8').split(',')
  if (precisions.every((name) => /^[a-z]+\d+$/.test(name)) && new Set(precisions).size === precisions.length)
    return { precisions, named: precision !== undefined }
  throw new Error(`Expected names with commas between, as fp32,int8, for --precision, received ${precision}`)
}

/** Runs each subject once, untimed: caches on disk, graphs, clocks. @returns those that run, and a note for each other */
export function warmUp(subjects, named) {
  const notes = []
  const running = subjects.filter((subject) => {
    process.stderr.write(`warm-up: ${subject.name}\n`)
    const refused = subject.warmUp?.().refused
    if (refused === undefined) return true
    if (named || subject.precision === 'fp32') throw new Error(`${subject.name}: ${refused}`)
    notes.push(`${subject.name} was left out: the model does not take it here (${refused}).`)
    return false
  })
  return { running, notes }
}

/** Trials in turn, every other round in the opposite order. @returns results by subject's name */
export function interleaved(subjects, trials, say) {
  const samples = Object.fromEntries(subjects.map(({ name }) => [name, []]))
  for (let i = 0; i < trials; i++) {
    for (const { name, run } of i % 2 === 0 ? subjects : subjects.toReversed()) {
      const result = run()
      samples[name].push(result)
      process.stderr.write(`${i + 1} of ${trials}, ${name}: ${say(result)}\n`)
    }
  }
  return samples
}
