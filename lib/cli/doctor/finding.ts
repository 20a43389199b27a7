// Owns: one line of what `video-depth doctor` found.
// Must not know: how it was found.

import { shownLines } from '../../base/outside-text.js'

export interface Finding {
  readonly part: string
  readonly ok: boolean
  readonly detail: string
  /** The command or step that mends it. */
  readonly remedy?: string
}

export function findingsText(findings: readonly Finding[]): string {
  const lines = findings.map(({ part, ok, detail, remedy }) => {
    const line = `${ok ? '✓' : '✗'} ${part.padEnd(13)} ${shownLines(detail)}\n`
    return remedy === undefined ? line : `${line}  ${''.padEnd(13)} → ${shownLines(remedy)}\n`
  })
  return lines.join('')
}
