// Owns: tests of which pictures are read, which are refused, and what a hostile one may take.
// Must not know: videos, sinks.

import { execFileSync } from 'node:child_process'
import { copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { deflateSync } from 'node:zlib'
import sharp, { type Sharp } from 'sharp'
import t from 'tap'
import { openImages } from '../../dist/esm/io/sources/image-source.js'
import { openSource } from '../../dist/esm/io/sources/open-source.js'
import { fixtures } from '../support/checkpoint-files.js'
import { collect } from '../support/frames.js'
import { bmp, jpegOfPasses, png, pnm } from '../support/pictures.js'

const folder = t.testdir()
const at = (...names: string[]): string => path.join(folder, ...names)
const fixture = (name: string): string => path.join(fixtures, 'images', name)
const unreadable = (message: RegExp): { code: string; message: RegExp } => ({ code: 'SOURCE_UNREADABLE', message })

const colour = { r: 200, g: 100, b: 50 }
const plain = (width = 8, height = 8): Sharp => sharp({ create: { width, height, channels: 3, background: colour } })

async function firstPixels(file: string, count = 1): Promise<readonly number[]> {
  const { frames, error } = await collect(await openSource(file))
  if (error !== undefined) throw error as Error
  return [...(frames[0]?.data.subarray(0, 3 * count) ?? [])]
}

t.test('pictures of every kind, whatever they are called', async (t) => {
  const rgb = Uint8Array.from({ length: 64 * 3 }, (_, i) => [200, 100, 50][i % 3] as number)
  const files: Record<string, Buffer> = {
    png: await plain().png().toBuffer(),
    jpeg: await plain().jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer(),
    webp: await plain().webp({ lossless: true }).toBuffer(),
    avif: await plain().avif({ lossless: true }).toBuffer(),
    tiff: await plain().tiff({ compression: 'lzw' }).toBuffer(),
    bmp: bmp(rgb, 8, 8),
    pnm: pnm('P6', 8, 8, 255, rgb),
    palette: await plain().png({ palette: true }).toBuffer(),
    'tiff, 16 bits': await plain().toColourspace('rgb16').tiff({ compression: 'lzw' }).toBuffer(),
    'png, 16 bits': await plain().toColourspace('rgb16').png().toBuffer(),
    'avif, 12 bits': await plain().avif({ bitdepth: 12, quality: 100 }).toBuffer(),
    lab: await plain().toColourspace('lab').tiff({ compression: 'none' }).toBuffer(),
  }
  for (const [name, bytes] of Object.entries(files)) {
    await writeFile(at(`${name}.bin`), bytes)
    const found = await firstPixels(at(`${name}.bin`))
    t.ok(
      found.every((value, i) => Math.abs(value - [200, 100, 50][i]!) <= 2),
      `${name}: ${found.join(', ')}`,
    )
  }
  await plain().toColourspace('cmyk').jpeg({ quality: 100 }).toFile(at('cmyk.jpg'))
  const cmyk = await firstPixels(at('cmyk.jpg'))
  t.ok(
    cmyk.every((value, i) => Math.abs(value - [200, 100, 50][i]!) <= 32),
    `CMYK goes through its profile: ${cmyk.join(', ')}`,
  )
})

t.test('grey, transparency, 16 bits and orientation, in formats other than PNG too', async (t) => {
  const bytes16 = Buffer.from([0, 0, 9, 9, 255, 255, 128, 128])
  const cases: [string, Buffer, readonly number[]][] = [
    ['P5', pnm('P5', 4, 1, 65535, bytes16), [0, 0, 0, 9, 9, 9, 255, 255, 255, 128, 128, 128]],
    ['P2', Buffer.from('P2 2 1 15\n9 15\n'), [153, 153, 153, 255, 255, 255]],
    ['P3', Buffer.from('P3 2 1 255\n9 8 7 1 2 3\n'), [9, 8, 7, 1, 2, 3]],
    ['P4', Buffer.from('P4 8 1\n\xf0', 'latin1'), [0, 0, 0]],
    ['P7', pam([9, 8, 7, 128, 1, 2, 3, 0]), [9, 8, 7, 1, 2, 3]],
  ]
  for (const [name, bytes, wanted] of cases) {
    await writeFile(at(`${name}.pnm`), bytes)
    t.same(await firstPixels(at(`${name}.pnm`), wanted.length / 3), wanted, name)
  }
  const grey = sharp(Uint8Array.of(150, 77, 150, 77), { raw: { width: 2, height: 1, channels: 2 } })
  await grey.toColourspace('b-w').png().toFile(at('grey-alpha.png'))
  t.same(await firstPixels(at('grey-alpha.png')), [150, 150, 150])
  for (const ending of ['jpg', 'webp', 'avif', 'tif']) {
    await plain(16, 8)
      .withMetadata({ orientation: 6 })
      .toFile(at(`turned.${ending}`))
    const { info } = await openSource(at(`turned.${ending}`))
    t.same([info.width, info.height], [8, 16], ending)
  }
})

function pam(values: readonly number[]): Buffer {
  const head = 'P7\nWIDTH 2\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n'
  return Buffer.concat([Buffer.from(head), Buffer.from(values)])
}

t.test('a picture in tiles is whole, or refused', async (t) => {
  await copyFile(fixture('grid.avif'), at('grid.heif'))
  for (const file of [fixture('grid.avif'), at('grid.heif')]) {
    const [frame] = (await collect(await openSource(file))).frames
    t.same([frame?.width, frame?.height], [128, 128], file)
    t.ok((frame?.data[0] ?? 0) > 240 && (frame?.data[3 * 127 + 2] ?? 0) > 240, 'red on the left, blue on the right')
  }
  const heic = await collect(await openSource(fixture('single.heic')))
  t.same([heic.error, heic.frames[0]?.width, heic.frames[0]?.height], [undefined, 64, 64])
  t.ok((heic.frames[0]?.data[0] ?? 0) > 240 && (heic.frames[0]?.data[3 * 63 + 2] ?? 0) > 240)
  const bytes = await readFile(fixture('single.heic'))
  for (let place = bytes.indexOf('ispe'); place >= 0; place = bytes.indexOf('ispe', place + 4))
    bytes.writeUInt32BE(128, place + 8) // as in tiles: the whole is wider than what can be decoded
  await writeFile(at('tiles.heic'), bytes)
  const { frames, error } = await collect(await openSource(at('tiles.heic')))
  t.equal(frames.length, 0)
  t.match(error, unreadable(/HEIC picture in tiles/))
})

t.test('no picture of a file of several is left out in silence', async (t) => {
  const pages = Buffer.from(Array.from({ length: 8 * 24 * 3 }, (_, i) => 80 * Math.floor(i / (8 * 8 * 3))))
  const raw = { width: 8, height: 24, channels: 3, pageHeight: 8 } as const
  await sharp(pages, { raw })
    .webp({ loop: 0, delay: [50, 50, 50] })
    .toFile(at('film.webp'))
  await sharp(
    pages.map((value, i) => value + (i >> 6)),
    { raw },
  )
    .gif({ delay: [50, 50, 50] })
    .toFile(at('film.gif'))
  await sharp(pages, { raw }).tiff({ compression: 'none' }).toFile(at('pages.tif'))
  await writeFile(at('film.png'), png({ width: 8, height: 8, frames: 3 }))
  for (const name of ['film.webp', 'film.gif', 'film.png']) {
    t.equal((await collect(await openSource(at(name)))).frames.length, 3, `${name} by itself is a video`)
    await t.rejects(openImages([at(name)]), unreadable(/is a film|holds 3 pictures/), name)
  }
  await t.rejects(openSource(at('pages.tif')), unreadable(/it holds 3 pictures, expected one/))
  await t.rejects(openSource(fixture('film.avif')), unreadable(/it is a film/))
})

t.test("a folder's pictures are read or named, whatever their kind", async (t) => {
  await mkdir(at('mixed'))
  await plain().png().toFile(at('mixed', '1.png'))
  await writeFile(at('mixed', '2.bmp'), bmp(new Uint8Array(192).fill(2), 8, 8))
  await writeFile(at('mixed', '3.ppm'), pnm('P6', 8, 8, 255, new Uint8Array(192).fill(3)))
  await plain().gif().toFile(at('mixed', '4.GIF'))
  await writeFile(at('mixed', 'notes.txt'), 'no picture')
  const { frames, error } = await collect(await openSource(at('mixed')))
  t.same([error, frames.map(({ data }) => data[0])], [undefined, [200, 2, 3, 200]])
  await writeFile(at('mixed', 'a.jxl'), 'x')
  await t.rejects(openSource(at('mixed')), unreadable(/Cannot read a\.jxl in .*mixed/))
  await writeFile(at('mixed', 'b.tga'), 'x')
  await t.rejects(openSource(at('mixed')), unreadable(/a\.jxl and 1 more/))
})

t.test('nothing but regular files is opened', { skip: process.platform === 'win32' && 'no FIFOs' }, async (t) => {
  await mkdir(at('waits'))
  execFileSync('mkfifo', [at('waits', '0.png')])
  await symlink('/dev/zero', at('endless.jpg'))
  await mkdir(at('folder.png'))
  await t.rejects(openSource(at('waits', '0.png')), unreadable(/it is a FIFO, not a file/))
  await t.rejects(openSource(at('waits')), unreadable(/0\.png: it is a FIFO, not a file/))
  await t.rejects(openSource(at('endless.jpg')), unreadable(/it is a device, not a file/))
  await t.rejects(openImages([at('folder.png')]), unreadable(/it is a folder, not a file/))
  await plain().png().toFile(at('waits', '.first.png'))
  const later = await collect(await openImages([at('waits', '.first.png'), at('waits', '0.png')]))
  t.match(later.error, { code: 'SOURCE_DAMAGED', message: /Image 1: .* it is a FIFO/ })
})

t.test('what claims more than it can hold is refused before it is decoded', async (t) => {
  const hugeAvif = await readFile(fixture('grid.avif'))
  for (let place = hugeAvif.indexOf('ispe'); place >= 0; place = hugeAvif.indexOf('ispe', place + 4))
    hugeAvif.writeUInt32BE(6_553_640, place + 8)
  const hugeGif = await plain().gif().toBuffer()
  hugeGif.writeUInt16LE(12_000, 6)
  hugeGif.writeUInt16LE(10_000, 8)
  const zeros = deflateSync(Buffer.alloc(1 << 20))
  const tooWide = pnm('P6', 40_000, 1, 255, new Uint8Array(120_000))
  const cases: [string, Buffer, RegExp][] = [
    ['sides.avif', hugeAvif, /found 6553640×/],
    ['area.gif', hugeGif, /its pictures are 12000×10000; expected at most 33554432 pixels/],
    ['sides.png', png({ width: 40_000, height: 2, data: zeros }), /expected 1 to 32768 pixels a side, found 40000×2/],
    ['area.png', png({ width: 15_000, height: 15_000, data: zeros }), /claims 15000×15000 pixels/],
    ['sides.ppm', tooWide, /found 40000×1/],
    ['area.ppm', pnm('P6', 30_000, 30_000, 255, new Uint8Array(9)), /./],
    ['area.bmp', bmp(new Uint8Array(192), 8, 8, 30_000), /./],
    ['passes.jpg', jpegOfPasses(7600, 4400, 400), /claims 400 passes over 7600×4400 pixels/],
  ]
  for (const [name, bytes, message] of cases) {
    await writeFile(at(name), bytes)
    await t.rejects(openSource(at(name)), unreadable(message), name)
  }
  await plain(7680, 4320).png().toFile(at('8k.png'))
  const { info } = await openSource(at('8k.png'), { maxRes: 64 })
  t.same([info.width, info.height], [64, 36], 'a flat frame of 8K is honest')
})

t.test('numbers without a common black and white are refused', async (t) => {
  const values = Buffer.alloc(8)
  values.writeFloatLE(0.5, 0)
  values.writeFloatLE(1, 4)
  await writeFile(at('float.tif'), floatTiff(values))
  await t.rejects(openSource(at('float.tif')), unreadable(/expected levels of 8 or 16 bits, found float/))
})

/** Two grey float32 values beside each other. */
function floatTiff(values: Buffer): Buffer {
  const tags = [
    ...[
      [256, 2],
      [257, 1],
      [258, 32],
      [259, 1],
      [262, 1],
      [273, 8],
      [277, 1],
      [278, 1],
      [279, 8],
      [339, 3],
    ],
  ] as const
  const bytes = Buffer.alloc(16 + 2 + 12 * tags.length + 4)
  bytes.write('II*\0', 'latin1')
  bytes.writeUInt32LE(16, 4)
  values.copy(bytes, 8)
  bytes.writeUInt16LE(tags.length, 16)
  for (const [i, [tag, value]] of tags.entries()) {
    bytes.writeUInt16LE(tag, 18 + 12 * i)
    bytes.writeUInt16LE(4, 20 + 12 * i)
    bytes.writeUInt32LE(1, 22 + 12 * i)
    bytes.writeUInt32LE(value, 26 + 12 * i)
  }
  return bytes
}
