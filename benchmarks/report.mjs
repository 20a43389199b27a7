// Owns: how samples become tables and doubts.
// Must not know: how samples came about.

import { median, percentile } from './shared.mjs'

/** Beyond these a machine, or a program, was not what the figures take it for. */
const mostSpread = 0.1
const mostLoadAtStart = 0.5
const leastBusyPart = 0.75 // of the threads
const mostOthers = 0.25 // threads of other programs, where they left no processor idle

const none = '—'

export function markdown(header, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Three digits, or a dash for undefined. */
export function short(number) {
  if (number === undefined) return none
  return Number(number.toPrecision(3)).toString()
}

/** How many times as long `base` took, pair by pair. */
export function ratios(base, seconds) {
  return seconds.map((value, i) => base[i] / value)
}

export function ratioText(all) {
  return `${median(all).toFixed(2)} (${all.map((ratio) => ratio.toFixed(2)).join(', ')})`
}

/**
 * Plain sentences on why not to believe; none where there is no reason.
 *
 * @param compared ratios by what they are of
 * @param processors what a trial says of the processors, by subject
 */
export function doubts({ loadAverage, threads, compared, processors }) {
  const sentences = []
  if (loadAverage > mostLoadAtStart)
    sentences.push(`The machine was busy at the start: its load average was ${loadAverage.toFixed(2)}.`)
  for (const [what, all] of Object.entries(compared)) {
    const spread = Math.max(...all) / Math.min(...all) - 1
    if (all.length === 1) sentences.push(`${what}: a single pair, so nothing says how far to trust the ratio.`)
    if (spread > mostSpread)
      sentences.push(`${what}: the ratios differ by ${Math.round(spread * 100)} %, too much to be believed.`)
  }
  for (const [subject, all] of Object.entries(processors)) {
    const least = Math.min(...all.map(({ own }) => own))
    if (least < leastBusyPart * threads)
      sentences.push(`${subject}: kept only ${least.toFixed(2)} of ${threads} threads busy in one of its trials.`)
    const crowded = all.filter(({ others, idle }) => others > mostOthers && idle < mostOthers)
    const most = Math.max(...crowded.map(({ others }) => others))
    if (crowded.length > 0)
      sentences.push(`${subject}: other programs took up to ${most.toFixed(2)} processors, and none was idle.`)
  }
  return sentences
}

/** Seconds for one new frame of windows in the steady state; of the whole clip where it is too short for that. */
export function secondsPerFrame({ secondsPerFrame: told, steady, seconds, frames }) {
  if (told !== undefined) return told
  return steady.frames > 0 ? steady.seconds / steady.frames : seconds.total / frames
}

const columns = (reports) =>
  reports.flatMap((report) => Object.entries(report.samples).map((pair) => [report, ...pair]))

/** @param reports { title, samples, errors }, samples and errors by subject */
export function summaryTable(reports, baseline, reference) {
  const withReference = reports.some(({ samples }) => samples[reference] !== undefined)
  const header = ['network', 'subject', 's a new frame', `times as fast as ${baseline}, pair by pair`]
  if (withReference) header.push(`times as fast as ${reference}, pair by pair`)
  header.push('peak memory, MiB', 'AbsRel', 'δ1', 'largest difference / range')
  const rows = columns(reports).map(([{ title, samples, errors }, name, all]) => {
    const seconds = all.map(secondsPerFrame)
    const against = (base) =>
      base === name || samples[base] === undefined
        ? none
        : ratioText(ratios(samples[base].map(secondsPerFrame), seconds))
    const { absRel, delta1, largest } = errors[name] ?? {}
    return [
      ...[title, name, short(median(seconds)), against(baseline)],
      ...(withReference ? [against(reference)] : []),
      Math.round(median(all.map(({ peakMemoryMiB }) => peakMemoryMiB))),
      ...[short(absRel), delta1?.toFixed(4) ?? none, short(largest)],
    ]
  })
  return markdown(header, rows)
}

const phases = ['read', 'preprocess', 'encode', 'temporalHead', 'depthDecoder', 'stitch', 'write']

/** Milliseconds a frame by phase, over the whole clip; seconds of windows and of the start. */
export function timesTable(reports) {
  const header = ['network', 'subject', 'whole, s a frame', 'ms a frame: decode wait', 'preprocess', 'encode']
  header.push('temporal head', 'depth decoder', 'stitch', 'write', 'window p50 / p95, s')
  header.push('load, s', 'first depth, s', 'of it overhead, s')
  const rows = columns(reports)
    .filter(([, , all]) => all.every(({ seconds }) => seconds !== undefined))
    .map(([{ title }, name, all]) => {
      const middle = (pick) => median(all.map(pick))
      const windows = all.flatMap(({ windowSeconds, steady }) => (steady.frames > 0 ? windowSeconds : []))
      return [
        ...[title, name, short(middle(({ seconds, frames }) => seconds.total / frames))],
        ...phases.map((phase) => short(optional(all, ({ seconds, frames }) => (seconds[phase] * 1000) / frames))),
        windows.length === 0 ? none : `${short(percentile(windows, 50))} / ${short(percentile(windows, 95))}`,
        ...['load', 'firstDepth', 'overhead'].map((part) => short(optional(all, ({ start }) => start[part]))),
      ]
    })
  return markdown(header, rows)
}

/** Resident MiB at the end of each phase, and the highest sample in it. */
export function memoryTable(reports) {
  const names = { load: 'load', firstWindow: 'first window', steady: 'steady state' }
  const header = ['network', 'subject', ...Object.values(names).map((name) => `resident, MiB: after ${name}`)]
  header.push(...Object.values(names).map((name) => `highest in ${name}`), 'peak')
  const rows = columns(reports)
    .filter(([, , all]) => all.every(({ phases: memory }) => memory !== undefined))
    .map(([{ title }, name, all]) => {
      const cell = (phase, key) => Math.round(median(all.map(({ phases: memory }) => memory[phase][key])))
      const cells = ['end', 'peak'].flatMap((key) => Object.keys(names).map((phase) => cell(phase, key)))
      return [title, name, ...cells, Math.round(median(all.map(({ peakMemoryMiB }) => peakMemoryMiB)))]
    })
  return markdown(header, rows)
}

/** Their median; undefined where a sample has none. */
function optional(all, pick) {
  const values = all.map(pick)
  return values.every(Number.isFinite) ? median(values) : undefined
}
