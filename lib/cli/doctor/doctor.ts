// Owns: `video-depth doctor`: what this machine can run, and what is missing where it can't.
// Must not know: how any part works.

import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { Command } from 'commander'
import { diagnoseAddon } from '../../native/addon.js'
import { kernelsVariable } from '../../engine/cpu/choose-kernels.js'
import { thisProcessor } from '../../engine/cpu/processor.js'
import { nativeGpu } from '../../engine/open-engine.js'
import { defaultCacheDir } from '../../cache/cache-folder.js'
import { loadAv } from '../../io/av.js'
import { libraryRemedy, loadSharp } from '../../base/libraries.js'
import { makeFolder } from '../../base/make-folder.js'
import packageRoot from '../../package-root.cjs'
import { defaultThreads } from '../../base/threads.js'
import { gpuFindings } from './doctor-gpu.js'
import { processorFinding } from './doctor-processor.js'
import { exitCode } from '../exit-code.js'
import { findingsText, type Finding } from './finding.js'
import { listed } from '../options.js'
import { say, sayJson } from '../tell.js'

const requireFromPackage = createRequire(path.join(packageRoot, 'package.json'))

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Show what this machine can run, and what is missing where it cannot.')
    .option('--json', 'print one object', false)
    .option('--cache-dir <dir>', 'the cache folder to check')
    .option('--tensorrt-path <dir>', "folder of TensorRT's libraries, searched first; may be repeated", listed)
    .action(async ({ json, cacheDir = defaultCacheDir(), tensorrtPath = [] }: DoctorArguments) => {
      const gpu = await findGpu(tensorrtPath, cacheDir)
      const findings = [machine(), addon(), ...kernels(), await video(), await images(), await cache(cacheDir), ...gpu]
      const usable = findings.every(({ ok, part }) => ok || gpuParts.includes(part))
      const hasGpu = ['driver', 'GPU', 'TensorRT'].every((name) => gpu.some(({ part, ok }) => ok && part === name))
      if (json) sayJson({ usable, findings })
      else say(findingsText(findings) + verdict(usable, hasGpu))
      process.exitCode = usable ? exitCode.ok : exitCode.failed
    })
}

/** What is of use, but not needed. */
const gpuParts: readonly string[] = ['GPU support', 'driver', 'GPU', 'TensorRT', 'plans']

interface DoctorArguments {
  readonly json: boolean
  readonly cacheDir?: string
  readonly tensorrtPath?: readonly string[]
}

function verdict(isUsable: boolean, hasGpu: boolean): string {
  if (!isUsable) return 'This machine cannot run video-depth yet.\n'
  return `This machine can run video-depth on its ${hasGpu ? 'GPU and its ' : ''}processor.\n`
}

async function findGpu(folders: readonly string[], cacheDir: string): Promise<Finding[]> {
  if (!diagnoseAddon().ok) return [] // that comes first
  try {
    return await gpuFindings(nativeGpu(), folders, cacheDir)
  } catch (error) {
    return [{ part: 'GPU', ok: false, detail: message(error) }]
  }
}

function machine(): Finding {
  const { node } = process.versions
  const [major = 0, minor = 0] = node.split('.').map(Number)
  const ok = major > 20 || (major === 20 && minor >= 17)
  const memory = (os.totalmem() / 2 ** 30).toFixed(1)
  const processor = os.cpus()[0]?.model.trim() ?? 'unknown processor'
  const detail = `Node.js ${node}, ${process.platform}-${process.arch}, ${defaultThreads()} threads (${processor}), ${memory} GiB`
  return { part: 'machine', ok, detail, ...(!ok && { remedy: 'install Node.js 20.17 or later' }) }
}

function addon(): Finding {
  const { ok, detail, remedy, folder } = diagnoseAddon()
  return { part: 'addon', ok, detail, ...(remedy !== undefined && { remedy: `in ${folder}, run: ${remedy}` }) }
}

function kernels(): Finding[] {
  if (!diagnoseAddon().ok) return [] // that comes first
  return [processorFinding(thisProcessor(), process.env[kernelsVariable])]
}

async function video(): Promise<Finding> {
  return attempt('video files', async () => {
    const { ffmpegVersion } = await loadAv()
    return `node-av ${versionOf('node-av')}, FFmpeg ${ffmpegVersion()}`
  })
}

async function images(): Promise<Finding> {
  return attempt('images', async () => {
    const sharp = await loadSharp()
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

async function attempt(part: string, check: () => Promise<string>): Promise<Finding> {
  try {
    return { part, ok: true, detail: await check() }
  } catch (error) {
    return { part, ok: false, detail: message(error).replace(` ${libraryRemedy}`, ''), remedy: libraryRemedy }
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
