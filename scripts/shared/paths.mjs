// Owns: where the repository lies, and how its tools are started.
// Must not know: what any script does with them.

import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..')

/** Absolute path of something in the repository. */
export const inRoot = (...parts) => path.join(root, ...parts)

/**
 * `[command, args]` that runs npm: the one that runs us where there is one, otherwise the one on PATH.
 * Windows' npm is a batch file, which only a shell starts.
 */
export function npmCommand(...args) {
  const running = process.env.npm_execpath ?? ''
  if (path.basename(running) === 'npm-cli.js') return [process.execPath, [running, ...args]]
  return process.platform === 'win32' ? ['cmd.exe', ['/d', '/s', '/c', 'npm', ...args]] : ['npm', args]
}

/** `[command, args]` that runs a tool of a dependency without a shell. */
export const toolCommand = (script, ...args) => [process.execPath, [inRoot('node_modules', script), ...args]]
