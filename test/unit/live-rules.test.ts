// Owns: tests of the rules of live sources that need no connection.
// Must not know: FFmpeg, servers.

import t from 'tap'
import { LiveClock, liveJumpMs } from '../../dist/esm/io/live/live-clock.js'
import { liveInput } from '../../dist/esm/io/live/live-input.js'
import { Pacer } from '../../dist/esm/io/live/pacer.js'
import { resolveLiveOptions, retryDelayMs, type LiveOptions } from '../../dist/esm/io/live/live-options.js'

const defaults = resolveLiveOptions({})

t.test('times: distances of the stream, gaps of the clock', (t) => {
  const clock = new LiveClock(liveJumpMs)
  const run = (...frames: [streamMs: number | undefined, arrivalMs: number][]): number[] =>
    frames.map(([streamMs, arrivalMs]) => Math.round(clock.next(streamMs, arrivalMs) * 10) / 10)
  t.same(run([5000, 100], [5040, 170], [5080, 175], [5120, 230]), [0, 40, 80, 120], 'arrival blurs')
  t.same(run([5120, 260], [5100, 270], [5160, 300]), [120.1, 120.2, 160], 'repeated and swapped times')
  t.same(run([1000, 340], [1040, 390]), [240, 280], 'a new time base begins at its arrival')
  t.same(run([900_000, 430], [900_040, 470]), [330, 370], 'also one far ahead')
  t.same(run([undefined, 520], [900_190, 530]), [420, 520], 'a frame without a time')
  clock.restart()
  t.same(run([0, 8100], [40, 8110]), [8000, 8040], 'the gap of a reconnection')
  clock.restart()
  t.same(run([0, 8111], [40, 8150]), [8040.1, 8080.1], 'never back')
  const recording = new LiveClock(Infinity)
  t.same([recording.next(0, 0), recording.next(60_000, 1)], [0, 60_000], 'frames of a recording may be far apart')
  t.end()
})

t.test('a recording is played as it was filmed, but for jumps', (t) => {
  const pacer = new Pacer(1000)
  t.same([pacer.waitMs(40, 100), pacer.waitMs(80, 110), pacer.waitMs(120, 190)], [0, 30, 0], 'late frames come at once')
  t.equal(pacer.waitMs(160, 195), 25, 'and the ones after them when they are due')
  t.equal(pacer.waitMs(3_600_160, 220), 1000)
  t.same([pacer.waitMs(3_600_200, 1220), pacer.waitMs(3_601_200, 1260)], [40, 1000], 'and on from there')
  t.end()
})

t.test('delays double up to a limit, half of each at random', (t) => {
  const { reconnect } = defaults
  const delays = (random: number): number[] =>
    [1, 2, 3, 7, 8, 2000].map((n) => retryDelayMs(n, reconnect, () => random))
  t.same(delays(1), [500, 1000, 2000, 30_000, 30_000, 30_000])
  t.same(delays(0), [250, 500, 1000, 15_000, 15_000, 15_000])
  t.end()
})

t.test('inputs are told apart, secrets stay out of sight', (t) => {
  const told = (input: string, options: LiveOptions = {}) => liveInput(input, resolveLiveOptions(options))
  t.match(told('/dev/video3'), { kind: 'device', name: 'video3', format: 'v4l2', shown: '/dev/video3' })
  t.match(told('/dev/v4l/by-id/usb-cam'), { kind: 'device', name: 'usb-cam' })
  t.match(liveInput('/dev/webcam', defaults, true), { kind: 'device', name: 'webcam', format: 'v4l2' })
  t.match(told('clips/a.mp4'), { kind: 'file', name: 'a.mp4', url: 'file:clips/a.mp4' })
  t.match(told('C:\\clips\\a.mp4'), { kind: 'file' })
  t.match(told('rtsp://me:p@ss@10.0.0.5:554/ch/1?token=x'), {
    kind: 'url',
    name: '10.0.0.5-554-ch-1',
    shown: 'rtsp://10.0.0.5:554/ch/1',
    how: 'RTSP over tcp',
    url: 'rtsp://me:p@ss@10.0.0.5:554/ch/1?token=x',
    options: { rtsp_transport: 'tcp', timeout: '11000000', protocol_whitelist: 'rtsp,rtp,udp,tcp' },
  })
  t.match(told('RTSP://host/x', { rtspTransport: 'udp' }), { options: { rtsp_transport: 'udp' }, how: 'RTSP over udp' })
  t.match(told('udp://@:5000'), { name: '5000', options: { rw_timeout: '11000000', overrun_nonfatal: '1' } })
  for (const address of ['rtsps', 'rtmp', 'rtmps', 'http', 'https', 'udp', 'srt'].map(
    (scheme) => `${scheme}://host/x`,
  )) {
    const { options } = told(address)
    t.notMatch(options['protocol_whitelist'] ?? 'file', /\b(file|pipe|fd|concat|subfile|data)\b/, address)
  }
  for (const wrong of ['', 'file:///etc/passwd', 'concat://a|b', 'ftp://me:secret@host/x'])
    t.throws(() => told(wrong), { code: 'INVALID_OPTION' }, wrong)
  t.throws(() => told('ftp://me:secret@host/x'), {
    message:
      'Expected an address that begins with rtsp, rtsps, rtmp, rtmps, http, https, udp, srt for input, received "ftp://host/x"',
  })
  t.end()
})

t.test('options are checked', (t) => {
  const cases: [object, string][] = [
    [{ stallMs: 99 }, 'Expected a number of milliseconds from 100 to 2147483647 for stallMs, received 99'],
    [{ maxRes: 1 }, 'Expected a whole number from 2 to 65536, or −1, for maxRes, received 1'],
    [{ rtspTransport: 'http' }, "Expected 'tcp' or 'udp' for rtspTransport, received \"http\""],
    [{ onSizeChange: 'crop' }, "Expected 'scale' or 'error' for onSizeChange, received \"crop\""],
    [{ onEvent: 5 }, 'Expected a function for onEvent, received 5'],
    [{ signal: 5 }, 'Expected an AbortSignal for signal, received 5'],
    [{ reconnect: { attempts: 0 } }, 'Expected a whole number from 1, or Infinity, for reconnect.attempts, received 0'],
    [
      { reconnect: { firstDelayMs: 50, mostDelayMs: 40 } },
      'Expected a number of milliseconds from 50 to 2147483647 for reconnect.mostDelayMs, received 40',
    ],
    [{ reconnect: { first: 1 } }, 'Expected true or false for reconnect.first, received 1'],
    [{ reconnect: true }, 'Expected an object for reconnect, received true'],
    [
      { reconnect: { tries: 3 } },
      'Expected only attempts, firstDelayMs, mostDelayMs, first for reconnect, received "tries"',
    ],
  ]
  for (const [options, message] of cases)
    t.throws(() => resolveLiveOptions(options), { code: 'INVALID_OPTION', message })
  t.match(defaults, {
    ...{ maxRes: 1280, rtspTransport: 'tcp', stallMs: 10_000, onSizeChange: 'scale' },
    reconnect: { attempts: Infinity, firstDelayMs: 500, mostDelayMs: 30_000, first: false },
  })
  t.match(resolveLiveOptions({ reconnect: false }).reconnect, { attempts: 0, first: false })
  t.end()
})
