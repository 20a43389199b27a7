// Owns: `video-depth eval` run for its JSON, and that compared with what the core gives.
// Must not know: which files are evaluated.

import type { Test } from 'tap'
import { evaluateFrames } from '../../dist/esm/evaluate/depth-evaluation.js'
import { scoreNames } from '../../dist/esm/evaluate/depth-scores.js'
import type { EvaluationOptions } from '../../dist/esm/evaluate/evaluation-options.js'
import type { FramePair } from '../../dist/esm/evaluate/prepared-frame.js'
import type { CliText } from './run-cli.js'

/** What `--json` prints. */
export interface EvalReport {
  readonly mean: Record<string, number | null>
  readonly videos: (Record<string, unknown> & { perFrame: Record<string, number | null>[]; perPair: object })[]
  readonly options: object
  readonly frames: readonly (number | null)[]
}

/** @param run a command line's arguments */
export async function report(
  t: Test,
  run: (...args: readonly string[]) => Promise<CliText>,
  args: readonly string[],
): Promise<EvalReport> {
  const { code, stdout, stderr } = await run(...args, '--json')
  t.equal(code, 0, stderr)
  return JSON.parse(stdout) as EvalReport
}

/** Compares what was found with what the core gives for the same frames. @param usual those of most comparisons */
export function agreement(usual: readonly FramePair[]) {
  /** @param tolerance of what a format loses */
  return (
    t: Test,
    found: EvalReport,
    options: EvaluationOptions,
    name: string,
    tolerance = 1e-9,
    frames = usual,
  ): void => {
    const expected = evaluateFrames(frames, options)
    for (const score of scoreNames) {
      const [value, wanted] = [found.mean[score] ?? NaN, expected[score]]
      t.ok(Math.abs(value - wanted) <= tolerance * Math.max(wanted, 0.01), `${name}: ${score} ${value}`)
    }
  }
}
