// Owns: loading the model in a trial, or printing why it does not take these options here.
// Must not know: what is measured; whether that is a failure or only a row less.

import { VideoDepth, VideoDepthError } from 'video-depth'
import { print } from '../measure.mjs'

/** @returns undefined where it does not load */
export async function load(options) {
  try {
    return await VideoDepth.load(options)
  } catch (error) {
    if (!(error instanceof VideoDepthError)) throw error
    print({ refused: `${error.message} [${error.code}]` })
    return undefined
  }
}
