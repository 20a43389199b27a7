// Owns: tests of the proxy that keeps public addresses from leading into private networks.
// Must not know: FFmpeg, videos.

import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { guarded } from '../../dist/esm/io/live/live-guard.js'
import { liveInput } from '../../dist/esm/io/live/live-input.js'
import { resolveLiveOptions } from '../../dist/esm/io/live/live-options.js'
import { isPrivate, publicProxy } from '../../dist/esm/io/live/public-proxy.js'

t.test('private addresses', (t) => {
  for (const address of [
    '127.0.0.1',
    '10.1.1.1',
    '172.20.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '0.0.0.0',
    '224.0.0.1',
  ])
    t.ok(isPrivate(address), address)
  for (const address of [
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    '::ffff:127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'no',
  ])
    t.ok(isPrivate(address), address)
  for (const address of ['8.8.8.8', '172.32.0.1', '2606:4700::1']) t.notOk(isPrivate(address), address)
  t.end()
})

t.test('only what resolves to a public address is reached', async (t) => {
  const server = createServer((incoming, response) => response.end(incoming.headers.host)).listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  const { port } = server.address() as AddressInfo
  const proxy = await publicProxy((host) =>
    host === 'public.test' ? Promise.resolve('127.0.0.1') : Promise.reject(new Error('private')),
  )
  t.teardown(() => {
    proxy.close()
    server.close()
  })
  const through = (host: string): Promise<IncomingMessage> =>
    new Promise((done, fail) => {
      const url = `http://${host}:${port}/x`
      get(proxy.url, { path: url, headers: { host: `${host}:${port}` } }, done).on('error', fail)
    })
  t.equal((await through('public.test')).statusCode, 200)
  t.equal((await through('127.0.0.1')).statusCode, 403)
  const guard = await publicProxy()
  t.teardown(() => guard.close())
  const direct = await new Promise<IncomingMessage>((done, fail) => {
    get(guard.url, { path: `http://127.0.0.1:${port}/x` }, done).on('error', fail)
  })
  t.equal(direct.statusCode, 403, 'as it resolves itself')
})

t.test('which addresses are guarded', async (t) => {
  const input = (url: string, playlists = false): ReturnType<typeof liveInput> =>
    liveInput(url, resolveLiveOptions({ playlists }))
  const guard = await guarded(input('http://93.184.216.34/live.ts'), {})
  t.match(guard.input.options['http_proxy'], /^http:\/\/127\.0\.0\.1:\d+$/)
  guard.close()
  for (const url of ['http://127.0.0.1/live.ts', 'rtsp://93.184.216.34/live'])
    t.equal((await guarded(input(url), {})).input.options['http_proxy'], undefined, url)
  const past = await guarded(input('http://93.184.216.34/live.ts'), { no_proxy: 'localhost' })
  t.equal(past.input.options['max_redirects'], '0')
  await t.rejects(guarded(input('http://93.184.216.34/live.m3u8', true), { no_proxy: 'localhost' }), {
    code: 'SOURCE_UNREADABLE',
    message: /no_proxy/,
  })
})
