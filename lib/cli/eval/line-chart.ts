// Owns: line charts as SVG: panels above each other that share their x axis.
// Must not know: what the lines show, files.

export interface ChartSeries {
  readonly label: string
  /** By x; NaN and undefined leave a gap. */
  readonly values: readonly (number | undefined)[]
}

export interface ChartPanel {
  readonly title: string
  readonly series: readonly ChartSeries[]
}

export interface Chart {
  readonly title: string
  /** Text at the x axis, which counts from `start`. */
  readonly xLabel: string
  readonly start: number
  readonly panels: readonly ChartPanel[]
}

const width = 800
const panelHeight = 170
const margin = { left: 72, right: 16, top: 34, between: 40, bottom: 40 }
const colours = ['#1f6fb4', '#d1495b', '#3a8f5c']
const text = 'font-family="sans-serif" fill="#222"'

export function lineChart({ title, xLabel, start, panels }: Chart): string {
  const count = Math.max(1, ...panels.flatMap(({ series }) => series.map(({ values }) => values.length)))
  const height = margin.top + panels.length * (panelHeight + margin.between) + margin.bottom - margin.between
  const drawn = panels.map((panel, i) =>
    panelSvg(panel, margin.top + 14 + i * (panelHeight + margin.between), count, start),
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height + 14}" viewBox="0 0 ${width} ${height + 14}">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    `<text x="${margin.left}" y="22" font-size="15" ${text}>${escaped(title)}</text>`,
    ...drawn,
    `<text x="${(margin.left + width - margin.right) / 2}" y="${height + 6}" font-size="12" text-anchor="middle" ${text}>${escaped(xLabel)}</text>`,
    '</svg>\n',
  ].join('\n')
}

function panelSvg({ title, series }: ChartPanel, top: number, count: number, start: number): string {
  const finite = series.flatMap(({ values }) => values.filter((value) => Number.isFinite(value))) as number[]
  const [least, most] = bounds(finite)
  const inner = { width: width - margin.left - margin.right, height: panelHeight - 24 }
  const x = (i: number): number => margin.left + (count === 1 ? inner.width / 2 : (i / (count - 1)) * inner.width)
  const y = (value: number): number => top + 20 + (1 - (value - least) / (most - least)) * inner.height
  const grid = ticks(least, most, 4).map(
    (value) =>
      `<path d="M${margin.left} ${round(y(value))}H${width - margin.right}" stroke="#ddd"/>` +
      `<text x="${margin.left - 6}" y="${round(y(value) + 4)}" font-size="11" text-anchor="end" ${text}>${label(value)}</text>`,
  )
  const marks = ticks(0, count - 1, 8)
    .filter(Number.isInteger)
    .map(
      (i) =>
        `<text x="${round(x(i))}" y="${top + panelHeight + 12}" font-size="11" text-anchor="middle" ${text}>${i + start}</text>`,
    )
  const lines = series.map(({ values }, i) => curve(values, x, y, colours[i % colours.length] as string))
  const names = series
    .map(({ label: name }, i) => `<tspan fill="${colours[i % colours.length]}" dx="14">${escaped(name)}</tspan>`)
    .join('')
  const head = `<text x="${margin.left}" y="${top + 10}" font-size="12" ${text}>${escaped(title)}${series.length > 1 ? names : ''}</text>`
  return [head, ...grid, ...marks, ...lines].join('\n')
}

/** A dot where a value has no neighbour to draw a line to. */
function curve(
  values: readonly (number | undefined)[],
  x: (i: number) => number,
  y: (value: number) => number,
  colour: string,
): string {
  const isThere = (i: number): boolean => Number.isFinite(values[i])
  const parts: string[] = []
  values.forEach((value, i) => {
    if (value === undefined || !isThere(i)) return
    parts.push(`${isThere(i - 1) ? 'L' : 'M'}${round(x(i))} ${round(y(value))}`)
    if (!isThere(i - 1) && !isThere(i + 1)) parts.push('h0.01')
  })
  return `<path d="${parts.join('')}" fill="none" stroke="${colour}" stroke-width="1.5" stroke-linecap="round"/>`
}

/** With some room where all values are the same, or there are none. */
function bounds(values: readonly number[]): [least: number, most: number] {
  const least = values.reduce((a, b) => Math.min(a, b), Infinity)
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity)
  if (!(least <= most)) return [0, 1]
  const room = least === most ? Math.max(Math.abs(least), 1) * 0.1 : (most - least) * 0.05
  return [least - room, most + room]
}

/** Round numbers from least to most, about `wanted` of them. */
export function ticks(least: number, most: number, wanted: number): number[] {
  if (!(most > least)) return [least]
  const raw = (most - least) / wanted
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= raw) ?? raw
  const found: number[] = []
  for (let i = Math.ceil(least / step); i * step <= most; i++) found.push(Number((i * step).toPrecision(12)))
  return found
}

const label = (value: number): string => String(Number(value.toPrecision(4)))

const round = (value: number): number => Math.round(value * 100) / 100

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

const escaped = (value: string): string => value.replace(/[&<>"]/g, (character) => entities[character] as string)
