// Owns: a grey PNG with a colour profile whose curve differs from sRGB's.
// Must not know: what is done with it.

import { crc32, deflateSync } from 'node:zlib'

/** @param png without a profile */
export function profiled(png: Uint8Array): Buffer {
  const bytes = Buffer.from(png)
  const afterHeader = 33
  const data = Buffer.concat([Buffer.from('grey\0\0', 'latin1'), deflateSync(linearGrey())])
  const body = Buffer.concat([Buffer.from('iCCP'), data])
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  checksum.writeUInt32BE(crc32(body))
  return Buffer.concat([bytes.subarray(0, afterHeader), length, body, checksum, bytes.subarray(afterHeader)])
}

/** An ICC profile of one channel, version 2, of linear light (a gamma of 1). */
function linearGrey(): Buffer {
  const xyz = (x: number, y: number, z: number): Buffer => {
    const tag = Buffer.alloc(20)
    tag.write('XYZ ')
    ;[x, y, z].forEach((value, i) => tag.writeInt32BE(Math.round(65536 * value), 8 + 4 * i))
    return tag
  }
  const curve = Buffer.alloc(12)
  curve.write('curv')
  const text = Buffer.alloc(104)
  text.write('desc')
  text.writeUInt32BE(5, 8)
  text.write('grey', 12)
  const copyright = Buffer.from('text\0\0\0\0none\0\0\0\0', 'latin1')
  const tags: [string, Buffer][] = [
    ['desc', text],
    ['cprt', copyright],
    ['wtpt', xyz(0.9642, 1, 0.8249)],
    ['kTRC', curve],
  ]
  const table = Buffer.alloc(4 + 12 * tags.length)
  table.writeUInt32BE(tags.length)
  let offset = 128 + table.length
  tags.forEach(([name, data], i) => {
    table.write(name, 4 + 12 * i)
    table.writeUInt32BE(offset, 8 + 12 * i)
    table.writeUInt32BE(data.length, 12 + 12 * i)
    offset += data.length
  })
  const head = Buffer.alloc(128)
  head.writeUInt32BE(offset, 0)
  head.writeUInt32BE(0x02100000, 8)
  head.write('mntrGRAYXYZ ', 12)
  head.write('acsp', 36)
  xyz(0.9642, 1, 0.8249).copy(head, 68, 8)
  return Buffer.concat([head, table, ...tags.map(([, data]) => data)])
}
