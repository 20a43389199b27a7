// Owns: which engine runs a model.
// Must not know: how any engine works.

import { CpuEngine, type CpuEngineOptions } from './cpu.js'
import type { Engine } from './engine.js'

export interface EngineOptions extends CpuEngineOptions {
  /** `auto`: the fastest that this machine can run; so far that is the only one there is. */
  readonly backend: 'auto' | 'cpu'
}

export function openEngine(options: EngineOptions): Promise<Engine> {
  return CpuEngine.load(options)
}
