// Owns: how many processor threads are worth starting: those that the scheduler allows, within the container's quota.
// Must not know: what the threads do.

import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'

/** At least 1. More threads than the quota pays for are stopped together, in mid-run, until its next period. */
export function defaultThreads(): number {
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(cpuQuota())))
}

/**
 * Processors that control groups give this process, the least of its group and all groups above; Infinity where there is
 * no limit or none can be read, as everywhere but on Linux.
 *
 * @param root another file system's only in tests
 */
export function cpuQuota(root = '/'): number {
  const groups = (read(path.join(root, 'proc/self/cgroup')) ?? '').split('\n').map((line) => line.split(':'))
  const mounts = path.join(root, 'sys/fs/cgroup')
  let least = Infinity
  for (const [hierarchy, controllers = '', ...rest] of groups) {
    const group = rest.join(':')
    if (hierarchy === '0' && controllers === '') least = Math.min(least, leastOf(mounts, group, quotaV2))
    if (!controllers.split(',').includes('cpu')) continue
    for (const mount of new Set([controllers, 'cpu']))
      // one may be a link to the other, or missing
      least = Math.min(least, leastOf(path.join(mounts, mount), group, quotaV1))
  }
  return least
}

/** In a container a group may be told by its name outside, where nothing lies: the mount itself is then the group. */
function leastOf(mount: string, group: string, quotaOf: (folder: string) => number): number {
  const names = path.posix.normalize(`/${group}`).split('/').filter(Boolean) // '..' stays within the mount
  const folders = [mount, ...names.map((_, i) => path.join(mount, ...names.slice(0, i + 1)))]
  return Math.min(...folders.map(quotaOf))
}

/** `max 100000` or `150000 100000`. */
function quotaV2(folder: string): number {
  const [quota, period] = (read(path.join(folder, 'cpu.max')) ?? '').trim().split(/\s+/)
  return processors(quota, period)
}

/** −1: no limit. */
function quotaV1(folder: string): number {
  return processors(read(path.join(folder, 'cpu.cfs_quota_us')), read(path.join(folder, 'cpu.cfs_period_us')))
}

/** Both in microseconds. */
function processors(quota: string | undefined, period: string | undefined): number {
  const share = Number(quota) / Number(period)
  return share > 0 ? share : Infinity // NaN too
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
