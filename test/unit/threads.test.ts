// Owns: tests of the number of threads that is the default.
// Must not know: what the threads do.

import { availableParallelism } from 'node:os'
import t from 'tap'
import { cpuQuota, defaultThreads } from '../../dist/esm/base/threads.js'

interface Tree {
  readonly [name: string]: string | Tree
}

/** @param cgroup content of /proc/self/cgroup; @param mounts below /sys/fs/cgroup */
const tree = (cgroup: string, mounts: Tree): Tree => ({
  proc: { self: { cgroup } },
  sys: { fs: { cgroup: mounts } },
})

const v1 = (quota: number, more: Tree = {}): Tree => ({
  'cpu.cfs_quota_us': `${quota}\n`,
  'cpu.cfs_period_us': '100000\n',
  ...more,
})

const cases: readonly [what: string, tree: Tree, processors: number][] = [
  ['nothing at all', {}, Infinity],
  ['control groups without a limit', tree('0::/\n', { 'cpu.max': 'max 100000\n' }), Infinity],
  ['a container that sees its group as the root', tree('0::/\n', { 'cpu.max': '250000 100000\n' }), 2.5],
  ['a group of its own', tree('0::/a/b\n', { a: { b: { 'cpu.max': '300000 100000\n' } } }), 3],
  [
    'the least of a group and those above',
    tree('0::/a/b\n', { 'cpu.max': 'max 100000', a: { 'cpu.max': '100000 50000', b: { 'cpu.max': '90000 30000' } } }),
    2,
  ],
  ['a name from outside the container', tree('0::/docker/4f2\n', { 'cpu.max': '50000 100000\n' }), 0.5],
  ['a name above the mount', tree('0::/../../a\n', { 'cpu.max': '400000 100000', a: { 'cpu.max': '1000 1000' } }), 1],
  ['a name with a colon', tree('0::/a:b\n', { 'a:b': { 'cpu.max': '200000 100000\n' } }), 2],
  ['a file that is not understood', tree('0::/\n', { 'cpu.max': 'many\n' }), Infinity],
  ['a period of zero', tree('0::/\n', { 'cpu.max': '100000 0\n' }), Infinity],
  ['version 1', tree('3:cpu:/\n', { cpu: v1(150_000) }), 1.5],
  ['version 1 without a limit', tree('3:cpu:/\n0::/\n', { cpu: v1(-1) }), Infinity],
  ['two controllers in one folder', tree('4:cpu,cpuacct:/\n', { 'cpu,cpuacct': v1(200_000) }), 2],
  ['two controllers, one folder known by a link', tree('4:cpuacct,cpu:/\n', { cpu: v1(200_000) }), 2],
  ['version 1, a parent', tree('4:cpu:/a/b\n', { cpu: { a: v1(100_000, { b: v1(-1) }) } }), 1],
  ['other controllers', tree('4:cpuset:/\n5:cpuacct:/\n', { cpuset: v1(100_000), cpuacct: v1(100_000) }), Infinity],
  ['both versions', tree('4:cpu:/\n0::/a\n', { cpu: v1(300_000), a: { 'cpu.max': '200000 100000' } }), 2],
]

for (const [what, files, processors] of cases) {
  t.test(`the quota of ${what}`, (t) => {
    t.equal(cpuQuota(t.testdir({ ...files })), processors)
    t.end()
  })
}

t.test('the default is within the quota and what may be scheduled', (t) => {
  const threads = defaultThreads()
  t.ok(Number.isInteger(threads) && threads >= 1)
  t.ok(threads <= availableParallelism() && threads <= Math.max(1, Math.ceil(cpuQuota())))
  t.end()
})
