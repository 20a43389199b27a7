// Owns: tests of `video-depth sample` as a person types it: its files, its figures, the network that comes with the package.
// Must not know: what the network computes.

import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import sharp from 'sharp'
import t from 'tap'
import type { SampleFigures } from '../../dist/esm/cli/sample/sample-report.js'
import { tinyPth } from '../support/checkpoint-files.js'
import { runCli, type Ended } from '../support/run-cli.js'

t.setTimeout(300_000)

const folder = t.testdir()
const at = (...names: string[]): string => path.join(folder, ...names)
const cache = ['--cache-dir', at('cache')]

const run = (args: readonly string[]): Promise<Ended> => runCli(['sample', ...args, ...cache], { cwd: folder })

function figuresOf(name: string): SampleFigures & { frames: number } {
  return JSON.parse(readFileSync(at(name, 'sample.json'), 'utf8')) as ReturnType<typeof figuresOf>
}

const tiny = ['--checkpoint', tinyPth, '--input-size', '28']

t.test('the clip, its depth, a picture of both, and figures', async (t) => {
  const { code, stdout, stderr } = await run(['-o', at('sample'), ...tiny, '--json'])
  t.equal(code, 0, stderr)
  t.match(JSON.parse(stdout), { frames: 44, width: 320, height: 240, error: null })
  const names = ['.json', '.mp4', '.png', '.webp', '_depths.npz', '_src.mp4', '_truth.mp4', '_truth.npz', '_vis.mp4']
  t.same(
    readdirSync(at('sample')).sort(),
    names.map((ending) => `sample${ending}`),
  )
  t.match(await sharp(at('sample', 'sample.png')).metadata(), { width: 4 * 326 + 6, height: 2 * 24 + 6 + 4 * 268 })
  t.match(await sharp(at('sample', 'sample.webp'), { pages: -1 }).metadata(), {
    width: 3 * 326 + 6,
    pages: 22,
    delay: [83],
  })
  const figures = figuresOf('sample')
  t.equal(figures.frames, 44)
  for (const { absRel, delta1 } of [figures, figures.ramp, figures.constant]) {
    t.ok(absRel > 0 && absRel < 10, `AbsRel ${absRel}`)
    t.ok(delta1 >= 0 && delta1 <= 1)
  }
  t.ok(figures.tae > 0)
})

t.test(
  'without a checkpoint: the network that comes with the package, which beats what looks at no picture',
  async (t) => {
    const { code, stdout, stderr } = await run(['-o', at('bundled')])
    t.equal(code, 0, stderr)
    t.match(stderr, /small network that comes with the package, trained on rendered scenes alone/)
    t.notMatch(stderr, /random test weights/)
    t.match(stdout, /error AbsRel [\d.]+ %, [\d.]+ % of pixels within a factor of 1\.25/)
    const figures = figuresOf('bundled')
    t.ok(
      figures.absRel < 0.4 * figures.ramp.absRel,
      `AbsRel ${figures.absRel}, of the best plane ${figures.ramp.absRel}`,
    )
    t.ok(figures.delta1 > 0.9, `δ1 ${figures.delta1}`)
  },
)
