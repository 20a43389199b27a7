// Owns: the table that check.sh ends with, from the JSON files of its steps.
// Must not know: how anything was measured.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error('Expected the folder of results')
const read = (name) => {
  const file = path.join(folder, name)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}

/** Arithmetic of one frame at 518×518, GFLOP: encoder, head. */
const work = { S: [93, 28], B: [303, 101], L: [1014, 391] }
/** Dense FP16 tensor-core peak, TFLOP/s, by the start of the GPU's name. */
const peaks = { 'NVIDIA A100': 312, 'NVIDIA H100 PCIe': 756, 'NVIDIA H100': 989, 'NVIDIA H200': 989 }
const [windowFrames, newFrames] = [32, 22]

const gpu = existsSync(path.join(folder, 'gpu.csv')) ? readFileSync(path.join(folder, 'gpu.csv'), 'utf8').trim() : ''
const lines = [...gpu.split('\n').slice(1), '']
const engine = read('engine.json')
const torch = readdirSync(folder)
  .filter((name) => /^torch-.*\.json$/.test(name))
  .map(read)

if (engine !== undefined) {
  lines.push(
    '| network | ms a new frame | of a window | window p50, p95, p99 | of the tensor-core limit | host a window | streams: p50, p95, p99 (frames/s) | memory MiB | watts | PyTorch FP16, ms a new frame |',
  )
  lines.push('|---|---|---|---|---|---|---|---|---|---|')
  for (const result of engine.cases) lines.push(row(result))
}
for (const name of ['bandwidth.log', 'path.log', 'steps.txt']) {
  const file = path.join(folder, name)
  if (existsSync(file)) lines.push('', '```', readFileSync(file, 'utf8').trim(), '```')
}
const all = { gpu, bandwidth: read('bandwidth.json'), path: read('path.json'), engine, torch }
writeFileSync(path.join(folder, 'all.json'), JSON.stringify(all, undefined, 2))
const text = `${lines.join('\n')}\n`
writeFileSync(path.join(folder, 'table.md'), text)
process.stdout.write(text)

function row({ size, width, height, error, windows, streams }) {
  const name = `${size} ${width}×${height}`
  if (error !== undefined) return `| ${name} | failed: ${error.split('\n')[0]} |||||||||`
  const beside = torch.find((other) => other.size === size && other.input === `${width}x${height}`)
  const percentiles = ({ p50, p95, p99 }) => [p50, p95, p99].map((ms) => ms.toFixed(2)).join(', ')
  const cells = [
    windows.perNewFrameMs.toFixed(2),
    windows.perWindowFrameMs.toFixed(2),
    percentiles(windows.windowMs),
    limit(size, width, height, windows.perNewFrameMs),
    windows.hostMs.toFixed(2),
    streams
      .map(
        ({ streams: count, totalMs, framesPerSecond }) =>
          `${count}: ${percentiles(totalMs)} (${framesPerSecond.toFixed(0)}/s)`,
      )
      .join('; '),
    windows.gpu.memoryMiB ?? '',
    windows.gpu.watts?.toFixed(0) ?? '',
    beside === undefined
      ? ''
      : `${beside.perNewFrameMs.toFixed(2)} (${(beside.perNewFrameMs / windows.perNewFrameMs).toFixed(1)}×)`,
  ]
  return `| ${name} | ${cells.join(' | ')} |`
}

/** Every new frame is encoded once and goes through the head 32/22 times. */
function limit(size, width, height, ms) {
  const peak = Object.entries(peaks).find(([name]) => gpu.includes(name))?.[1]
  if (peak === undefined || width !== 518 || height !== 518) return ''
  const [encoder, head] = work[size]
  const least = (encoder + (head * windowFrames) / newFrames) / peak
  return `${Math.round((100 * least) / ms)} %`
}
