// Usage: node websocket-client.mjs ADDRESS VIDEO      (needs: npm install ws)
//
// Sends a video's frames to websocket-server.mjs and receives their depth. ADDRESS is what the server printed.

import { once } from 'node:events'
import { openVideo } from 'video-depth'
import { WebSocket } from 'ws'

const [address, input] = process.argv.slice(2)
if (address === undefined || input === undefined) {
  console.error('Usage: node websocket-client.mjs ADDRESS VIDEO\nADDRESS is ws://127.0.0.1:8080, for example.')
  process.exit(2)
}

const closed = new AbortController() // ends the wait for a message that will not come
let video
let socket
try {
  video = await openVideo(input, { maxRes: 640 })
  const { width, height } = video.info
  socket = new WebSocket(`${address}/?width=${width}&height=${height}`)
  await once(socket, 'open') // rejects where there is no server
  socket.on('close', (code, reason) => closed.abort(new Error(`The server closed the connection: ${code} ${reason}`)))

  // One frame at a time, the simplest that works; a client may also send ahead, answers come in the frames' order.
  let index = 0
  for await (const frame of video) {
    socket.send(frame.data)
    const [message] = await once(socket, 'message', { signal: closed.signal })
    const bytes = new Uint8Array(message) // a copy, so that it begins where a Float32Array may begin
    const depth = new Float32Array(bytes.buffer)
    console.log(`frame ${index++}: depth ${width}x${height}, ${depth.length} values, first ${depth[0].toFixed(3)}`)
  }
} catch (error) {
  console.error(closed.signal.aborted ? closed.signal.reason.message : error.message)
  process.exitCode = 1
} finally {
  socket?.close()
  await video?.close()
}
