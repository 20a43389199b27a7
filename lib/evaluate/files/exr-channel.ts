// Owns: which channel of an OpenEXR image is depth.
// Must not know: where channels lie in a line's bytes beyond their sizes, what the values mean.

import type { ExrChannel } from './exr-header.js'

export interface PlacedChannel extends ExrChannel {
  /** Bytes of a line that lie before it, for each pixel of its width. */
  readonly before: number
}

/** Words for depth, as renderers name channels and layers; upper or lower case. */
const depthWords = ['z', 'depth']
/** Channels that hold depth in a picture whose names do not say so: grey, value, or the first of equal colours. */
const plainNames = ['v', 'y', 'r']

/**
 * A channel called Z or depth, then one that is called so in a layer (`beauty.Z`), then one of a layer that is called so
 * (`Depth.V`, `depth.R`), then the only channel, then V, Y or R.
 *
 * @throws Error where there is none, or several are equally likely
 */
export function depthChannel(channels: readonly ExrChannel[]): PlacedChannel {
  const index = channels.findIndex(({ name }) => name === chosenName(channels.map((channel) => channel.name)))
  const channel = channels[index]
  if (channel === undefined)
    throw new Error(`expected a channel Z, depth, V, Y or R, found ${shown(channels.map(({ name }) => name))}`)
  return { ...channel, before: channels.slice(0, index).reduce((sum, each) => sum + each.bytes, 0) }
}

function chosenName(names: readonly string[]): string | undefined {
  const where = (isRight: (name: string, layer: string | undefined, whole: string) => boolean): string[] =>
    names.filter((each) => {
      const words = each.toLowerCase().split('.')
      return isRight(words.at(-1) ?? '', words.at(-2), words.join('.'))
    })
  const ranks: readonly (readonly string[])[] = [
    ...depthWords.map((word) => where((_name, _layer, whole) => whole === word)),
    ...depthWords.map((word) => where((name) => name === word)),
    ...plainNames.map((word) => where((name, layer) => name === word && depthWords.includes(layer ?? ''))),
    names.length === 1 ? names : [],
    ...plainNames.map((word) => where((_name, _layer, whole) => whole === word)),
    ...plainNames.map((word) => where((name) => name === word)),
  ]
  const found = ranks.find((rank) => rank.length > 0)
  if (found === undefined || found.length === 1) return found?.[0]
  throw new Error(`expected one channel of depth, found ${shown(found)}`)
}

const shown = (names: readonly string[]): string =>
  names
    .slice(0, 12)
    .map((name) => name.slice(0, 40))
    .join(', ')
