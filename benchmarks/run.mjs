// Owns: `npm run bench`: the pipeline against upstream's schedule on ONNX Runtime, interleaved, each trial in a fresh process.
// Must not know: how either works.

import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { defaultThreads } from '../dist/esm/base/threads.js'
import { depthErrors } from './depth-error.mjs'
import { doubts, memoryTable, ratios, secondsPerFrame, summaryTable, timesTable } from './report.mjs'
import {
  benchmarkCheckpoint,
  benchmarkClip,
  engineOptions,
  frameSize,
  machine,
  results,
  versions,
  wholeNumber,
  writeReport,
} from './shared.mjs'
import { interleaved, precisionList, runReference, runScript, warmUp } from './subjects.mjs'

const baseline = 'ORT-whole'
const reference = 'reference'
const loadAverage = os.loadavg()[0]

const { values } = parseArgs({
  allowNegative: true,
  options: {
    size: { type: 'string', default: 'S' },
    checkpoint: { type: 'string' },
    'input-size': { type: 'string', default: '280' },
    frames: { type: 'string' },
    'frame-size': { type: 'string', default: '540x540' },
    trials: { type: 'string', default: '3' },
    threads: { type: 'string', default: String(defaultThreads()) },
    precision: { type: 'string' },
    reference: { type: 'string' },
    write: { type: 'boolean', default: true },
    'depth-error': { type: 'boolean', default: true },
    table: { type: 'boolean', default: false },
    networks: { type: 'string' },
    backend: { type: 'string', default: 'cpu' },
    device: { type: 'string' },
    'tensorrt-path': { type: 'string' },
  },
})
const [trials, threads] = ['trials', 'threads'].map((name) => wholeNumber(values, name))
const picture = frameSize(values)
const { precisions, named } = precisionList(values)
const reports = []
for (const network of networks()) reports.push(await bench(network))
print()

/** Each a published size and an input size. */
function networks() {
  if (!values.table && values.networks === undefined)
    return [{ size: values.size, inputSize: wholeNumber(values, 'input-size') }]
  return (values.networks ?? 'S:280,S:518,B:280,B:518').split(',').map((text) => {
    const [size, inputSize] = text.split(':')
    if (/^[SBL]$/.test(size) && Number(inputSize) >= 14) return { size, inputSize: Number(inputSize) }
    throw new Error(`Expected networks as S:280,B:518 for --networks, received ${values.networks}`)
  })
}

async function bench({ size, inputSize }) {
  // A steady state takes two windows that are full of new frames, 54 frames; where it is quick, three.
  const frames = values.frames === undefined ? (inputSize <= 280 ? 76 : 54) : wholeNumber(values, 'frames')
  const checkpoint = await benchmarkCheckpoint({ ...values, size })
  const clip = await benchmarkClip(picture.width, picture.height, frames)
  const settings = { checkpoint, clip, inputSize, threads }
  const folder = mkdtempSync(path.join(results, 'written-'))
  try {
    const { running, notes } = warmUp(subjects({ ...settings, size }, folder), named)
    const samples = interleaved(running, trials, (result) => `${secondsPerFrame(result).toFixed(3)} s a new frame`)
    const errors = await errorsOf(running, settings)
    const title = `${size} ${inputSize}`
    const report = { title, settings: { ...values, ...settings, size, frames }, samples, errors }
    const told = { ...report, notes: [...notes, ...doubtsOf(report)], ...facts() }
    return { ...told, file: writeReport(`pipeline-${size}-${inputSize}`, told) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function facts() {
  const commandLine = ['npm run bench --', ...process.argv.slice(2)].join(' ')
  return { machine: machine(threads), versions: versions(), loadAverage, commandLine }
}

function subjects(settings, folder) {
  const output = values.write ? { format: 'video', path: path.join(folder, 'depth.mp4') } : undefined
  return [
    {
      name: baseline,
      warmUp: () => runScript('whole-window', { ...settings, prepareOnly: true }),
      run: () => runScript('whole-window', settings),
    },
    ...(values.reference === undefined
      ? []
      : [{ name: reference, run: () => runReference(values.reference, { ...settings, mode: 'offline' }) }]),
    ...precisions.map((precision) => {
      const own = { ...settings, engine: engineOptions(values, precision) }
      return {
        name: `pipeline ${precision}`,
        precision,
        warmUp: () => runScript('pipeline', { ...own, maxLen: 1 }),
        run: () => runScript('pipeline', { ...own, output }),
      }
    }),
  ]
}

/** How far every other precision is from float32. */
async function errorsOf(running, settings) {
  const names = running.flatMap(({ precision, name }) => (precision === undefined ? [] : [name]))
  const first = 'pipeline fp32'
  if (!values['depth-error'] || names.length < 2 || !names.includes(first)) return {}
  const precisionOf = (name) => running.find((subject) => subject.name === name).precision
  const pass = (name, output) =>
    runScript('pipeline', { ...settings, engine: engineOptions(values, precisionOf(name)), output })
  return depthErrors([first, ...names.filter((name) => name !== first)], pass, picture)
}

function doubtsOf({ title, samples }) {
  const compared = {}
  const processors = {}
  const seconds = (name) => samples[name].map(secondsPerFrame)
  for (const name of Object.keys(samples)) {
    if (samples[name].every(({ processor }) => processor !== undefined))
      processors[`${title}, ${name}`] = samples[name].map(({ processor }) => processor)
    for (const base of [baseline, reference])
      if (name.startsWith('pipeline') && samples[base] !== undefined)
        compared[`${title}, ${name} to ${base}`] = ratios(seconds(base), seconds(name))
  }
  const isShort = samples[baseline].some(({ steady }) => steady.frames === 0)
  const note = `${title}: fewer than 54 frames have no steady state; s a new frame is of the whole clip, to be compared with nothing else.`
  return [...(isShort ? [note] : []), ...doubts({ loadAverage, threads, compared, processors })]
}

function print() {
  const { processor, processorFlags, node } = machine(threads)
  const frames = reports.map(({ title, settings }) => `${title}: ${settings.frames} frames`).join(', ')
  const lines = [
    `${processor} (${processorFlags.join(', ')}), ${threads} threads, Node ${node}, onnxruntime-node ${versions().onnxruntimeNode}`,
    `${frames}; ${picture.width}×${picture.height}; ${trials} trials of each, interleaved; medians`,
    ...['', summaryTable(reports, baseline, reference)],
    ...['', timesTable(reports)],
    ...['', memoryTable(reports), ''],
    ...new Set(reports.flatMap(({ notes }) => notes)),
    `raw: ${reports.map(({ file }) => file).join(', ')}`,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}
