// Usage: node websocket-server.mjs [PORT]      (needs: npm install ws)
//
// Depth over WebSockets, one stream a connection: ws://127.0.0.1:8080/?width=640&height=360. Each binary message in is a
// frame, RGB [height, width, 3]; each binary message out is its depth, little-endian float32 [height, width], in order.

import { on, once } from 'node:events'
import { promisify } from 'node:util'
import { bundledCheckpoint, VideoDepth } from 'video-depth'
import { WebSocketServer } from 'ws'

const port = Number(process.argv[2] ?? 8080)
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  console.error('Usage: node websocket-server.mjs [PORT]\nPORT is 0 to 65535; 0 takes a free one; default 8080.')
  process.exit(2)
}
const mostPixels = 1920 * 1080 // whoever connects chooses the size, so it has a limit
// The bundled network is small and was trained on rendered scenes alone: put a published checkpoint in its place.
const model = await VideoDepth.load({ checkpoint: process.env.VIDEO_DEPTH_CHECKPOINT || bundledCheckpoint })

// 127.0.0.1 is this machine alone. Before you open it to others, add TLS and a check of who connects.
const server = new WebSocketServer({ host: '127.0.0.1', port, maxPayload: mostPixels * 3 })

async function serve(socket, request) {
  socket.on('error', () => undefined) // a connection that breaks must not end the server; 'close' follows
  const stream = model.stream()
  try {
    const { searchParams } = new URL(request.url, 'ws://127.0.0.1')
    const [width, height] = ['width', 'height'].map((name) => Number(searchParams.get(name)))
    if (!(width * height <= mostPixels)) throw new Error(`Expected at most ${mostPixels} pixels in a frame`)
    // Backpressure: on() pauses the socket while messages wait, and a depth map has left before the next is asked for: TCP
    // holds up a client that sends too fast or reads too slowly.
    const messages = on(socket, 'message', { close: ['close'], highWaterMark: 1 })
    const frames = (async function* () {
      for await (const [data] of messages) yield { data, width, height }
    })()
    const send = promisify(socket.send.bind(socket))
    for await (const { data } of stream.depths(frames)) await send(data)
  } catch (error) {
    socket.resume() // so that the client's answer to close() is read
    socket.close(1008, error.message.slice(0, 100)) // no effect where the client has gone
  } finally {
    await stream.close()
  }
}
server.on('connection', (socket, request) => void serve(socket, request))

process.once('SIGINT', async () => {
  for (const socket of server.clients) socket.close(1001, 'The server is going away')
  server.close()
  await model.close()
})

try {
  await once(server, 'listening')
  console.log(`ws://127.0.0.1:${server.address().port}`)
} catch (error) {
  console.error(error.message) // the port is taken, for example
  process.exitCode = 1
  await model.close()
}
