// Owns: where the network that comes with the package lies.
// Must not know: what is in it.

import path from 'node:path'
import packageRoot from '../package-root.cjs'

/**
 * Path of the small network that comes with this package (engines/synthetic_vda_tiny.md), for `LoadOptions.checkpoint`. It
 * was trained on rendered scenes alone: good for trying things out and for tests, no match for the published checkpoints.
 */
export const bundledCheckpoint: string = path.join(packageRoot, 'engines', 'synthetic_vda_tiny.safetensors')
