// Owns: tests of taking a checkpoint for what it is: disparity or metres.
// Must not know: engines, how either is shown.

import { copyFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { VideoDepth } from '../../dist/esm/video-depth.js'
import { bundledCheckpoint } from '../../dist/esm/prepare/bundled-checkpoint.js'
import { kindDoubt, refuseOtherKind } from '../../dist/esm/prepare/checkpoint/depth-kind.js'
import { recipeOf, recipes } from '../../dist/esm/prepare/checkpoint/recipe.js'
import { tinyPth } from '../support/checkpoint-files.js'
import { runCli } from '../support/run-cli.js'

t.test('every published file has a hash of its own', (t) => {
  const published = recipes().filter(({ file }) => file !== null)
  t.equal(new Set(published.map(({ sha256 }) => sha256)).size, 7)
  for (const recipe of published) {
    t.match(recipe.sha256, /^[0-9a-f]{64}$/)
    t.equal(recipeOf(recipe.sha256 ?? ''), recipe)
    const isMetric = recipe.kind === 'metric'
    refuseOtherKind('a.pth', isMetric, recipe)
    t.throws(() => refuseOtherKind('folder/a.pth', !isMetric, recipe), {
      code: 'INVALID_OPTION',
      message: isMetric
        ? `a.pth (${recipe.title}) gives depth in metres: load it with metric: true (--metric)`
        : `a.pth (${recipe.title}) gives disparity, not metres: leave metric (--metric) out`,
    })
  }
  t.equal(recipeOf('0'.repeat(64)), undefined)
  t.end()
})

t.test('names that speak against what is said', (t) => {
  t.equal(kindDoubt('tuned_metric_vits.pth', true), undefined)
  t.equal(kindDoubt('/metric/tuned.pth', false), undefined)
  t.match(kindDoubt('tuned.pth', true), /Nothing in the name of tuned\.pth says/)
  t.match(kindDoubt('x/Metric-tuned.pth', false), /The name of Metric-tuned\.pth says that it gives metric depth/)
  t.end()
})

t.test('load refuses what is known, under any name, and warns of what is not', async (t) => {
  const folder = t.testdir()
  const renamed = path.join(folder, 'metric.safetensors')
  await copyFile(bundledCheckpoint, renamed)
  const warnings: string[] = []
  const onWarning = (text: string): void => void warnings.push(text)
  const options = { cacheDir: path.join(folder, 'cache'), backend: 'cpu', threads: 1, onWarning } as const
  await t.rejects(VideoDepth.load({ ...options, checkpoint: renamed, metric: true }), {
    code: 'INVALID_OPTION',
    message: /^metric\.safetensors \(Small network .*\) gives disparity, not metres: leave metric \(--metric\) out$/,
  })
  for (const metric of [true, false]) await (await VideoDepth.load({ ...options, checkpoint: tinyPth, metric })).close()
  t.match(warnings, [/Nothing in the name of tiny\.pth/])
  const named = path.join(folder, 'tiny_metric.pth')
  await copyFile(tinyPth, named)
  await (await VideoDepth.load({ ...options, checkpoint: named })).close()
  t.match(warnings, [/./, /The name of tiny_metric\.pth/])
  await t.rejects(VideoDepth.load({ ...options, checkpoint: named, onWarning: 1 as never }), {
    message: 'Expected a function for onWarning, received 1',
  })
})

t.test('sample --metric with the bundled network is refused before anything is rendered', async (t) => {
  const { code, stderr } = await runCli(['sample', '--metric', '-o', 'out'], { cwd: t.testdir() })
  t.equal(code, 2)
  t.match(stderr, /gives disparity, not metres: leave metric \(--metric\) out/)
})
