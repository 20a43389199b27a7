// Owns: when an address is read through a proxy that keeps it from leading into a private network.
// Must not know: connections, decoding.

import { VideoDepthError } from '../../base/errors.js'
import type { LiveInput } from './live-input.js'
import { isPublicHost, publicProxy } from './public-proxy.js'

export interface Guarded {
  readonly input: LiveInput
  close(): void
}

/**
 * For http and https: a redirect or a playlist of a public address reaches public addresses alone. An address in a private
 * network may lead anywhere. Where the environment names a proxy (`http_proxy`), that one decides; where it names hosts
 * that go past any proxy (`no_proxy`), redirects are not followed.
 *
 * @throws VideoDepthError SOURCE_UNREADABLE for playlists of a public address where `no_proxy` is set
 */
export async function guarded(
  input: LiveInput,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Guarded> {
  const free = { input, close: () => undefined }
  if (input.kind !== 'url' || !/^https?:/i.test(input.url) || !URL.canParse(input.url)) return free
  if (environment['http_proxy'] || !(await isPublicHost(new URL(input.url).hostname))) return free
  if (environment['no_proxy']) {
    if (input.playlists)
      throw new VideoDepthError(
        'SOURCE_UNREADABLE',
        `Cannot read ${input.shown}: playlists of a public address need the environment variable no_proxy to be unset`,
      )
    return { ...free, input: { ...input, options: { ...input.options, max_redirects: '0' } } }
  }
  const proxy = await publicProxy()
  return { input: { ...input, options: { ...input.options, http_proxy: proxy.url } }, close: () => proxy.close() }
}
