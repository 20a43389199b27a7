// Owns: what this machine's processor is, and which kernels of the addon it runs.
// Must not know: which of them is chosen.

import os from 'node:os'
import { loadAddon } from '../../native/addon.js'
import type { NativeCpu } from '../../native/cpu-types.js'
import type { NativeAddon } from '../../native/types.js'
import type { Processor } from './choose-kernels.js'

/** `null` also of an addon that was built before there was a part for processors. @throws VideoDepthError ADDON_UNAVAILABLE */
export function nativeCpu(): NativeCpu | null {
  return (loadAddon() as Partial<NativeAddon>).cpu ?? null
}

/** @throws VideoDepthError ADDON_UNAVAILABLE */
export function thisProcessor(): Processor {
  return { kernels: nativeCpu()?.kernels ?? [], name: processorName() }
}

export function processorName(): string {
  return os.cpus()[0]?.model.trim() ?? 'unknown processor'
}
