// Owns: a CPU engine worker that answers `load` and `open` like the real one and dies at the first frame.
// Must not know: networks.

import { parentPort } from 'node:worker_threads'

parentPort?.on('message', ({ id, op }: { id: number; op: string }) => {
  if (op === 'encode') process.exit(7)
  parentPort?.postMessage({ id, value: { architecture: {} } })
})
