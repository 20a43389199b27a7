// Owns: the graphs that plans are built from, as files for other tools: ONNX with external weights, and what each is.
// Must not know: GPUs, plans, sessions.

import { constants } from 'node:fs'
import { copyFile, readdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { invalidOption, VideoDepthError } from '../../base/errors.js'
import type { Precision } from '../../prepare/graph/weights.js'
import { weightsFileName } from '../../prepare/graph/weights-file.js'
import { readRecord } from '../../cache/json-record.js'
import { AtomicFile } from '../../io/sinks/atomic-output.js'
import { parseTemporary } from '../../io/sinks/temporary-names.js'
import { makeFolder } from '../../base/make-folder.js'
import type { GraphFile } from './graph-protocol.js'
import type { Preparation } from '../engine.js'
import { GraphSource, type CheckpointOptions } from './graph-source.js'
import { ladder, rungIndex } from './ladder.js'
import { graphRequests, type GraphRequest, type PlanSpec } from './plan-spec.js'

export interface ExportOptions extends CheckpointOptions {
  readonly precision: Precision
  readonly specs: readonly PlanSpec[]
  /** Made where missing; files of an earlier export are replaced, and a folder that holds anything else refused. */
  readonly folder: string
}

export interface ExportedGraph {
  readonly file: string
  readonly use: PlanSpec['use']
  readonly label: string
  /** Hash of the file without its weights, hex. */
  readonly sha256: string
  readonly inputs: GraphFile['ports']['inputs']
  readonly outputs: GraphFile['ports']['outputs']
  /** Builds the plan with NVIDIA's own tool, in the folder. */
  readonly trtexec: string
}

export interface ExportManifest {
  readonly checkpointSha256: string
  readonly precision: Precision
  /** Lies beside the graphs, which name it. */
  readonly weights: readonly string[]
  readonly graphs: readonly ExportedGraph[]
}

interface Source {
  readonly request: GraphRequest
  readonly use: PlanSpec['use']
  readonly graph: GraphFile
}

/**
 * Nothing under its final name is half written; after a failure, what was copied so far is removed.
 *
 * @throws VideoDepthError INVALID_OPTION where the folder holds other things, OUTPUT_UNWRITABLE
 */
export async function exportGraphs(
  { precision, specs, folder, ...checkpoint }: ExportOptions,
  preparation: Preparation,
): Promise<ExportManifest> {
  const rung = ladder[rungIndex(precision)]
  if (rung === undefined) throw new Error('an empty ladder')
  await assertOurs(folder)
  return GraphSource.use(checkpoint, preparation, async (graphs) => {
    const weights = await graphs.weights(precision)
    const sources: Source[] = []
    const requests = specs.flatMap((spec) => graphRequests(spec, rung).map((request) => ({ request, use: spec.use })))
    for (const [i, { request, use }] of requests.entries()) {
      preparation.onProgress({ phase: 'graphs', fraction: i / requests.length })
      sources.push({ request, use, graph: await graphs.graph(request) })
    }
    const file = weightsFileName(precision)
    const manifest: ExportManifest = {
      checkpointSha256: weights.sha256,
      precision,
      weights: [file],
      graphs: sources.map(exported),
    }
    await writeFolder(
      folder,
      [path.join(weights.folder, file), ...sources.map(({ graph }) => graph.path)],
      manifest,
      preparation,
    )
    return manifest
  })
}

/** @throws VideoDepthError INVALID_OPTION */
async function assertOurs(folder: string): Promise<void> {
  const found = await readdir(folder).catch(() => []) // what else there may be shows when it is written to
  const names = found.filter((name) => parseTemporary(name) === undefined)
  if (names.length === 0 || (await hasManifest(folder))) return
  throw invalidOption('an empty folder, or one with graphs of an earlier run', '--graphs-only', folder)
}

async function hasManifest(folder: string): Promise<boolean> {
  const { checkpointSha256, graphs } = (await readRecord<Partial<ExportManifest>>(folder, 'manifest.json')) ?? {}
  const isExport = (one: unknown): boolean => typeof one === 'object' && one !== null && 'trtexec' in one
  return typeof checkpointSha256 === 'string' && Array.isArray(graphs) && graphs.every(isExport)
}

function exported({ request, use, graph: { path: file, sha256, ports } }: Source): ExportedGraph {
  const name = path.basename(file)
  const trtexec = `trtexec --onnx=${name} --stronglyTyped --noTF32 --saveEngine=${name.replace(/\.onnx$/, '.plan')}`
  return { file: name, use, label: request.label, sha256, ...ports, trtexec }
}

async function writeFolder(
  folder: string,
  files: readonly string[],
  manifest: ExportManifest,
  { signal }: Preparation,
): Promise<void> {
  const written: string[] = []
  const place = async (name: string, write: (temporary: string) => Promise<void>): Promise<void> => {
    signal.throwIfAborted()
    const file = await AtomicFile.create(path.join(folder, name))
    written.push(file.temporary)
    await write(file.temporary)
    written.push(await file.commit())
  }
  try {
    await makeFolder(folder)
    for (const file of new Set(files))
      await place(path.basename(file), (temporary) => copyFile(file, temporary, constants.COPYFILE_FICLONE))
    await place('README.md', (temporary) => writeFile(temporary, readme(manifest)))
    await place('manifest.json', (temporary) => writeFile(temporary, `${JSON.stringify(manifest, undefined, 2)}\n`))
  } catch (error) {
    for (const file of written) await rm(file, { force: true })
    if (!(error instanceof Error) || !('syscall' in error)) throw error
    throw new VideoDepthError('OUTPUT_UNWRITABLE', `Cannot write the graphs in ${folder}: ${error.message}`, {
      cause: error,
    })
  }
}

function readme({ precision, weights, graphs }: ExportManifest): string {
  const rows = graphs.map(({ file, use, label }) => `| \`${file}\` | ${use} | ${label} |`)
  const commands = graphs.map(({ trtexec }) => trtexec)
  return `# Graphs of Video Depth Anything, ${precision}

ONNX, opset 20, static shapes. The weights are in ${weights.join(', ')}, which has to lie beside them.
\`manifest.json\` has every input and output with its shape.

| file | use | what |
| --- | --- | --- |
${rows.join('\n')}

Plans with NVIDIA's own tool, in this folder (TensorRT 10; version 11 is strongly typed without being told):

\`\`\`sh
${commands.join('\n')}
\`\`\`

\`video-depth\` itself builds, checks and keeps its plans: \`video-depth build\` without \`--graphs-only\`.
`
}
