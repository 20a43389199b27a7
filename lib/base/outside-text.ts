// Owns: how text from outside is shown: names of files and tensors, metadata, other programs' messages, option values.
// Must not know: where the text comes from, where it is shown.

/** Longest message, and longest part of one, in characters before escapes; what is longer loses its middle. */
const mostMessage = 2000
const mostPart = 200
/** Longest string in JSON output: no path that a system accepts is longer. */
const mostJson = 4096

/**
 * What a terminal obeys, or what hides or reorders other characters: controls (with those of ANSI sequences and line
 * ends), marks of writing direction, other characters without a form, and halves of characters.
 */
const unshowable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** The part of `unshowable` that JSON.stringify leaves as it is. */
const unshowableInJson = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu

/** On one line, at most about `most` characters. What was escaped once stays as it is. */
export function shown(text: string, most: number = mostMessage): string {
  return shortened(text, most).replace(unshowable, escaped)
}

/** A part of a message: one name, one value. */
export function shownPart(text: string): string {
  return shown(text, mostPart)
}

/** A value in quotation marks. */
export function quoted(text: string): string {
  return JSON.stringify(shortened(text, mostPart)).replace(unshowableInJson, codeUnits)
}

/** Our own lines, whatever was put into them: nothing but line ends and printable characters. */
export function shownLines(text: string): string {
  return text.replace(unshowable, (character) => (character === '\n' ? character : escaped(character)))
}

/** One line of JSON that a terminal may show: the same value, except that overlong strings lose their middle. */
export function jsonLine(value: unknown): string {
  const bounded = (_key: string, item: unknown): unknown =>
    typeof item === 'string' ? shortened(item, mostJson) : item
  return `${JSON.stringify(value, bounded).replace(unshowableInJson, codeUnits)}\n`
}

/** Beginning and end: what went wrong often stands last. */
function shortened(text: string, most: number): string {
  if (text.length <= most) return text
  const head = Math.ceil((most * 2) / 3)
  const tail = most - head
  return `${text.slice(0, head)}… (${text.length - most} characters) …${text.slice(-tail)}`
}

function escaped(character: string): string {
  if (character === '\n') return '\\n'
  if (character === '\r') return '\\r'
  if (character === '\t') return '\\t'
  return codeUnits(character)
}

/** As JSON and JavaScript write them. */
function codeUnits(text: string): string {
  return Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join(
    '',
  )
}
