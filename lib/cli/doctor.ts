// Owns: `video-depth doctor`: what this machine can run, and what is missing where it can't.
// Must not know: how any part works.

import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { Command } from 'commander'
import { diagnoseAddon } from '../binding.js'
import { defaultCacheDir } from '../graph/cache-folder.js'
import { makeFolder } from '../make-folder.js'
import packageRoot from '../package-root.cjs'
import { exitCode } from './exit-code.js'

interface Finding {
  readonly part: string
  readonly ok: boolean
  readonly detail: string
  /** The command or step that mends it. */
  readonly remedy?: string
}

const requireFromPackage = createRequire(path.join(packageRoot, 'package.json'))

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('What this machine can run, and what is missing where it cannot.')
    .option('--json', 'print one object', false)
    .option('--cache-dir <dir>', 'the cache folder to check')
    .action(async ({ json, cacheDir = defaultCacheDir() }: { json: boolean; cacheDir?: string }) => {
      const findings = [
        machine(),
        addon(),
        await onnxRuntime(),
        await video(),
        await images(),
        await cache(cacheDir),
        tensorRt(),
      ]
      const usable = findings.every(({ ok, part }) => ok || part === 'TensorRT')
      process.stdout.write(json ? `${JSON.stringify({ usable, findings })}\n` : text(findings, usable))
      process.exitCode = usable ? exitCode.ok : exitCode.failed
    })
}

function text(findings: readonly Finding[], usable: boolean): string {
  const lines = findings.map(({ part, ok, detail, remedy }) => {
    const line = `${ok ? '✓' : '✗'} ${part.padEnd(13)} ${detail}\n`
    return remedy === undefined ? line : `${line}  ${''.padEnd(13)} → ${remedy}\n`
  })
  const verdict = usable
    ? 'This machine can run video-depth on its processor.\n'
    : 'This machine cannot run video-depth yet.\n'
  return lines.join('') + verdict
}

function machine(): Finding {
  const { node } = process.versions
  const [major = 0, minor = 0] = node.split('.').map(Number)
  const ok = major > 20 || (major === 20 && minor >= 17)
  const memory = (os.totalmem() / 2 ** 30).toFixed(1)
  const processor = os.cpus()[0]?.model.trim() ?? 'unknown processor'
  const detail = `Node.js ${node}, ${process.platform}-${process.arch}, ${os.availableParallelism()} threads (${processor}), ${memory} GiB`
  return { part: 'machine', ok, detail, ...(!ok && { remedy: 'install Node.js 20.17 or later' }) }
}

function addon(): Finding {
  const { ok, detail, remedy } = diagnoseAddon()
  return { part: 'addon', ok, detail, ...(remedy !== undefined && { remedy }) }
}

async function onnxRuntime(): Promise<Finding> {
  return attempt('ONNX Runtime', async () => {
    const { InferenceSession } = await import('onnxruntime-node')
    if (typeof InferenceSession.create !== 'function') throw new Error('no InferenceSession')
    return `${versionOf('onnxruntime-node')}, CPU`
  })
}

async function video(): Promise<Finding> {
  return attempt('video files', async () => {
    const { ffmpegVersion } = await import('node-av')
    return `node-av ${versionOf('node-av')}, FFmpeg ${ffmpegVersion()}`
  })
}

async function images(): Promise<Finding> {
  return attempt('images', async () => {
    const { default: sharp } = await import('sharp')
    return `sharp ${versionOf('sharp')}, libvips ${sharp.versions.vips}`
  })
}

async function cache(folder: string): Promise<Finding> {
  try {
    await makeFolder(folder)
    await access(folder, constants.W_OK)
    return { part: 'cache', ok: true, detail: `${folder} is writable` }
  } catch (error) {
    const detail = `${folder} cannot be written: ${message(error)}`
    return { part: 'cache', ok: false, detail, remedy: 'name another folder with --cache-dir or $XDG_CACHE_HOME' }
  }
}

function tensorRt(): Finding {
  return { part: 'TensorRT', ok: false, detail: 'not part of this version: NVIDIA GPUs are not used' }
}

async function attempt(part: string, check: () => Promise<string>): Promise<Finding> {
  try {
    return { part, ok: true, detail: await check() }
  } catch (error) {
    return { part, ok: false, detail: message(error), remedy: 'npm ci (on the machine that runs it)' }
  }
}

function versionOf(name: string): string {
  // Not every package exports its package.json, so the folder is searched from its entry point upwards.
  const entry = requireFromPackage.resolve(name)
  const root = entry.slice(
    0,
    entry.lastIndexOf(path.join('node_modules', name)) + path.join('node_modules', name).length,
  )
  return (requireFromPackage(path.join(root, 'package.json')) as { version: string }).version
}

const message = (error: unknown): string =>
  error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
