// Owns: a proxy through which FFmpeg reaches public addresses alone, whatever a redirect or a playlist names.
// Must not know: FFmpeg, videos.

import { lookup } from 'node:dns/promises'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { BlockList, connect, isIP, type AddressInfo, type Socket } from 'node:net'
import { pipeline, type Duplex } from 'node:stream'

export interface PublicProxy {
  /** For FFmpeg's `http_proxy`. */
  readonly url: string
  close(): void
}

/** An address for a host's name; rejects where it must not be reached. */
export type Resolver = (host: string) => Promise<string>

const privateRanges = new BlockList()
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const)
  privateRanges.addSubnet(network, bits, 'ipv4')
// Besides what is private: IPv4 inside IPv6 (NAT64, 6to4, Teredo), which could be any address.
for (const [network, bits] of [
  ['::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
  ['64:ff9b::', 32],
  ['2002::', 16],
  ['2001::', 32],
] as const)
  privateRanges.addSubnet(network, bits, 'ipv6')

/** @param address IPv4 or IPv6: of this machine, of a private network, or of no host at all */
export function isPrivate(address: string): boolean {
  const family = isIP(address)
  return family === 0 || privateRanges.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

/** False where one of its addresses is private; true also where it has none, as it may get some. */
export async function isPublicHost(host: string): Promise<boolean> {
  const found = await lookup(bare(host), { all: true }).catch(() => [])
  return !found.some(({ address }) => isPrivate(address))
}

async function publicAddress(host: string): Promise<string> {
  const found = await lookup(bare(host), { all: true })
  const [first] = found
  if (first === undefined || found.some(({ address }) => isPrivate(address))) throw new Error(`${host} is not public`)
  return first.address
}

/** Listens on this machine alone. The name is resolved here and connected to as resolved: it cannot mean another host later. */
export async function publicProxy(resolve: Resolver = publicAddress): Promise<PublicProxy> {
  const server = createServer((incoming, response) => void forward(incoming, response, resolve))
  server.on('connect', (incoming, client, head) => void tunnel(incoming, client, head, resolve))
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((done, fail) => server.once('error', fail).listen(0, '127.0.0.1', done))
  server.unref()
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function forward(incoming: IncomingMessage, response: ServerResponse, resolve: Resolver): Promise<void> {
  const url = URL.canParse(incoming.url ?? '') ? new URL(incoming.url ?? '') : undefined
  const address = url?.protocol === 'http:' ? await resolve(url.hostname).catch(() => undefined) : undefined
  if (url === undefined || address === undefined) {
    response.writeHead(403).end()
    return
  }
  const { method, headers } = incoming
  const path = url.pathname + url.search
  const outgoing = request({ host: address, port: url.port || 80, path, method, headers, setHost: false })
  outgoing.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    pipeline(answer, response, () => outgoing.destroy())
  })
  outgoing.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()))
  response.on('close', () => outgoing.destroy())
  incoming.pipe(outgoing)
}

async function tunnel(incoming: IncomingMessage, client: Duplex, head: Buffer, resolve: Resolver): Promise<void> {
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(incoming.url ?? '') ?? []
  const address = await resolve(host).catch(() => undefined)
  if (address === undefined) {
    client.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    return
  }
  const server = connect(Number(port), address, () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n')
    server.write(head)
    pipeline(client, server, client, () => server.destroy())
  })
  server.on('error', () => client.destroy())
  client.on('close', () => server.destroy())
}

/** An IPv6 address without its brackets. */
function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1')
}
