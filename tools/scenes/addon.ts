// Owns: loading the renderer's addon.
// Must not know: what is drawn with it.

import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { NativeScenes } from './native-types.js'

const file = fileURLToPath(new URL('../../build-native/release/Release/video_depth_scenes.node', import.meta.url))
let loaded: NativeScenes | undefined

/** The renderer, loaded once a thread. Throws where it is not built. */
export function loadScenes(): NativeScenes {
  if (!existsSync(file)) throw new Error('The renderer of scenes is not built: run npm run build:scenes')
  loaded ??= createRequire(import.meta.url)(file) as NativeScenes
  return loaded
}
