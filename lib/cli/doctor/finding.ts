// Owns: one line of what `video-depth doctor` found.
// Must not know: how it was found.

import { shown } from '../../base/outside-text.js'

export interface Finding {
  readonly part: string
  readonly ok: boolean
  readonly detail: string
  /** Further lines, beneath the detail. */
  readonly more?: readonly string[]
  /** The command or step that mends it. */
  readonly remedy?: string
}

export function findingsText(findings: readonly Finding[]): string {
  const lines = findings.map(({ part, ok, detail, more = [], remedy }) => {
    const beneath = (text: string): string => `  ${''.padEnd(13)} ${shown(text)}\n`
    const line = `${ok ? '✓' : '✗'} ${part.padEnd(13)} ${shown(detail)}\n`
    return [line, ...more.map(beneath), ...(remedy === undefined ? [] : [beneath(`→ ${remedy}`)])].join('')
  })
  return lines.join('')
}
