// Owns: an HTTP server on loopback that plays a stream and breaks it in chosen ways, for tests.
// Must not know: the code under test.

import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'

/** What becomes of one connection. */
export type Turn =
  | 'refuse'
  | {
      readonly body: Uint8Array
      /** After the body: `cut` breaks the connection, `end` completes the answer, `stall` sends nothing more and keeps it open. */
      readonly then: 'cut' | 'end' | 'stall'
      readonly type?: string
    }

export interface LiveServer {
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

/** Bytes and milliseconds from one piece to the next: a stream comes little by little. */
const piece = { bytes: 188 * 40, everyMs: 4 }

/** @param turns one a connection, the last one for all that follow; or what answers a path */
export async function liveServer(turns: readonly Turn[] | ((path: string) => Turn), port = 0): Promise<LiveServer> {
  let asked = 0
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    asked++
    const turn = typeof turns === 'function' ? turns(path) : turns[Math.min(asked, turns.length) - 1]
    void answer(turn ?? 'refuse', response)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const { port: bound } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${bound}/live.ts`, port: bound, close: () => close(server) }
}

async function answer(turn: Turn, response: ServerResponse): Promise<void> {
  if (turn === 'refuse') {
    response.socket?.destroy()
    return
  }
  const { body, then, type = 'video/mp2t' } = turn
  response.on('error', () => undefined)
  response.writeHead(200, { 'content-type': type })
  for (let at = 0; at < body.length && !response.destroyed; at += piece.bytes) {
    response.write(body.subarray(at, at + piece.bytes))
    await setTimeout(piece.everyMs)
  }
  if (then === 'cut') response.socket?.destroy()
  if (then === 'end') response.end()
}

function close(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}
