// Owns: telling one process from all others, also on other machines, and whether it still runs.
// Must not know: what the processes write.

import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

export interface ProcessMark {
  /** Hash of the machine's name and identity: the same after it was started anew. */
  readonly machine: string
  /** Hash of what process ids are counted in: the kernel since it started, and the container. */
  readonly system: string
  readonly pid: number
  /** When it started, in the kernel's ticks: ids are used again. `0` where the system does not tell. */
  readonly start: string
}

let own: ProcessMark | undefined

export function ownProcess(): ProcessMark {
  own ??= {
    machine: hash8(machineText()),
    system: hash8(`${machineText()} ${read('/proc/sys/kernel/random/boot_id')} ${link('/proc/self/ns/pid')}`),
    pid: process.pid,
    start: processState(process.pid)?.start ?? '0',
  }
  return own
}

/**
 * Whether the process has surely ended. One of another machine or container is never said to have, unless this machine
 * was started anew since.
 *
 * @param lastSeenMs when it last changed something, by the kernel's clock
 */
export function isGone({ machine, system, pid, start }: ProcessMark, lastSeenMs: number): boolean {
  const here = ownProcess()
  if (system !== here.system) return machine === here.machine && lastSeenMs < startOfMachineMs()
  if (!exists(pid)) return true
  const found = processState(pid)
  return found !== undefined && (found.isZombie || found.start !== start)
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH') // EPERM: another user's
  }
}

/** Undefined where the system does not tell, as everywhere but on Linux. */
function processState(pid: number): { readonly isZombie: boolean; readonly start: string } | undefined {
  const text = read(`/proc/${pid}/stat`)
  // The second field, the program's name, is in parentheses and may hold anything.
  const [state, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const start = rest[18]
  return start === undefined ? undefined : { isZombie: state === 'Z' || state === 'X', start }
}

/** −Infinity where unknown. */
function startOfMachineMs(): number {
  const seconds = /^btime (\d+)$/m.exec(read('/proc/stat'))?.[1]
  return seconds === undefined ? -Infinity : Number(seconds) * 1000
}

function machineText(): string {
  return `${hostname()} ${read('/etc/machine-id')}`
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function link(file: string): string {
  try {
    return readlinkSync(file)
  } catch {
    return ''
  }
}

function hash8(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}
