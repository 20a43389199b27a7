// Owns: whether something built still belongs to its sources.
// Must not know: what is built, or how.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** Every file at or below `target`, sorted, so that hashes do not depend on the file system's order. */
export function filesBelow(target) {
  if (!existsSync(target)) return []
  if (!statSync(target).isDirectory()) return [target]
  return readdirSync(target)
    .sort()
    .flatMap((name) => filesBelow(path.join(target, name)))
}

/** Contents and relative names of `sources`, plus whatever else the result depends on. */
export function hashSources(base, sources, ...extra) {
  const hash = createHash('sha256')
  for (const file of sources.flatMap(filesBelow)) {
    hash
      .update(`${path.relative(base, file).replaceAll(path.sep, '/')}\0${statSync(file).size}\0`)
      .update(readFileSync(file))
  }
  return hash.update(extra.join('\0')).digest('hex')
}

/** Fresh: the stamp names these sources, and no output is missing or younger than the stamp (built behind its back). */
export function isFresh(stamp, hash, outputs) {
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== hash) return false
  const stamped = statSync(stamp).mtimeMs
  return outputs.every((output) => {
    const files = filesBelow(output).filter((file) => file !== stamp)
    return files.length > 0 && files.every((file) => statSync(file).mtimeMs <= stamped)
  })
}

/** Call it when every output is complete. */
export function writeStamp(stamp, hash) {
  mkdirSync(path.dirname(stamp), { recursive: true })
  writeFileSync(stamp, hash)
}

/** Removes what was compiled from a source that is no longer there; `sourceOf` maps an output to its possible sources. */
export function removeOrphans(outputDir, sourceOf) {
  for (const file of filesBelow(outputDir)) {
    const sources = sourceOf(path.relative(outputDir, file))
    if (sources.length > 0 && !sources.some((source) => existsSync(source))) rmSync(file)
  }
}

/** Sources in `sourceDir` that TypeScript may have compiled to `output`; none where TypeScript does not write such files. */
export function typescriptSources(sourceDir, output) {
  const match = /^(.*?)(?:\.d)?\.([mc]?)[jt]s(?:\.map)?$/.exec(output)
  return match === null ? [] : [path.join(sourceDir, `${match[1]}.${match[2]}ts`)]
}
