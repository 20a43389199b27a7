// Owns: reading one test file's TAP and counting what ran in it.
// Must not know: how tests are run or who prints the counts.

/**
 * @typedef {{ name: string, reason: string }} Skip
 * @typedef {{ passed: number, failed: number, skipped: Skip[], failures: string[] }} Results
 */

const point = /^( *)(not )?ok \d+(?: - (.*?))?(?: # time=[\d.]+m?s)?(?: \{)?$/
const directive = /^(.*?) ?# (SKIP|TODO)\b:? ?(.*)$/i
const skippedPlan = /^1\.\.0 # (?:SKIP:? )?(.+)$/i

/**
 * A test is a `t.test()` at the top of a file. Skipped are those, and whatever inside a test says SKIP or TODO.
 *
 * @param {string} file for messages
 * @param {string} tap TAP 14, 4 spaces a level
 * @returns {Results}
 */
export function countTap(file, tap) {
  const results = { passed: 0, failed: 0, skipped: [], failures: [] }
  let inYaml = false
  for (const line of tap.split('\n')) {
    if (/^ *---$/.test(line)) inYaml = true
    else if (/^ *\.\.\.$/.test(line)) inYaml = false
    if (inYaml) continue
    const whole = skippedPlan.exec(line)
    if (whole !== null && whole[1] !== 'no tests found') results.skipped.push({ name: file, reason: whole[1] })
    const parsed = parsePoint(line)
    if (parsed === undefined) continue
    const { level, ok, name, skipped } = parsed
    if (skipped !== undefined) results.skipped.push({ name: `${file}: ${name}`, reason: skipped })
    else if (level === 0 && ok) results.passed++
    else if (level === 0) {
      results.failed++
      results.failures.push(`${file}: ${name}`)
    }
  }
  return results
}

/** What a person needs of a failed file: its failed points with their diagnostics, and what is no TAP at all. */
export function failedLines(tap) {
  let showing = true
  return tap
    .split('\n')
    .filter((line) => {
      const parsed = parsePoint(line)
      if (parsed !== undefined) showing = !parsed.ok
      else if (/^ *(# Subtest|1\.\.\d+|TAP version|# (time=|\{))/.test(line)) showing = true
      return showing && line.trim() !== '' && !/^ *(# Subtest|1\.\.\d+|TAP version|# (time=|\{))/.test(line)
    })
    .join('\n')
}

function parsePoint(line) {
  const match = point.exec(line)
  if (match === null) return undefined
  const [, indent = '', not, title = ''] = match
  const marked = directive.exec(title)
  const name = (marked?.[1] ?? title).replaceAll('\\#', '#') || 'unnamed'
  return {
    level: indent.length / 4,
    ok: not === undefined,
    name,
    skipped: marked === null ? undefined : marked[3] || 'no reason given',
  }
}
