// Owns: a mutation run over every kind of picture that is read.
// Must not know: how mutations are made, how pictures are decoded.

import { readFile } from 'node:fs/promises'
import path from 'node:path'
import sharp, { type Sharp } from 'sharp'
import t from 'tap'
import { fixtures } from '../support/checkpoint-files.js'
import { mutationRun, mutationTimeoutMs, oneFile, type MutatedReader, type Seed } from '../support/mutation.js'
import { bmp, pnm, repairedPng } from '../support/pictures.js'

const [width, height] = [48, 40]
const rgb = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * i + 7 * i) % 251)
const picture = (): Sharp => sharp(rgb, { raw: { width, height, channels: 3 } })
const alpha = (): Sharp => picture().ensureAlpha(0.5)

async function seedsOf(ending: string, pictures: readonly Sharp[]): Promise<Seed[]> {
  const all = await Promise.all(pictures.map((each) => each.toBuffer()))
  return all.map((bytes) => oneFile(`a.${ending}`, bytes))
}

const heif = async (name: string): Promise<Seed> =>
  oneFile(`a${path.extname(name)}`, await readFile(path.join(fixtures, 'images', name)))

t.setTimeout(mutationTimeoutMs)

t.test('mutated pictures give values or errors, soon and in little memory', async (t) => {
  const exif = { exif: { IFD0: { ImageDescription: 'a picture', Orientation: '6' } } }
  const readers: MutatedReader[] = [
    {
      name: 'png',
      seeds: await seedsOf('png', [
        picture().png(),
        alpha().png({ progressive: true }),
        picture().png({ palette: true }),
        picture().toColourspace('rgb16').withIccProfile('p3').png(),
      ]),
      repair: repairedPng,
    },
    {
      name: 'jpeg',
      seeds: await seedsOf('jpg', [
        picture().jpeg(),
        picture().jpeg({ progressive: true }).withMetadata(exif),
        picture().toColourspace('cmyk').jpeg(),
      ]),
    },
    { name: 'webp', seeds: await seedsOf('webp', [picture().webp(), alpha().webp({ lossless: true })]) },
    {
      name: 'tiff',
      seeds: await seedsOf('tif', [
        picture().tiff({ compression: 'lzw' }),
        alpha().tiff({ compression: 'deflate', tile: true, tileWidth: 32, tileHeight: 32 }),
        picture().tiff({ compression: 'jpeg' }),
        picture().toColourspace('rgb16').tiff({ compression: 'none' }),
      ]),
    },
    {
      name: 'avif',
      seeds: [
        ...(await seedsOf('avif', [picture().avif({ effort: 0 }), alpha().avif({ effort: 0 })])),
        await heif('grid.avif'),
      ],
    },
    { name: 'heic', seeds: [await heif('single.heic')] },
    { name: 'gif', seeds: await seedsOf('gif', [picture().gif()]) },
    { name: 'bmp', seeds: [oneFile('a.bmp', bmp(rgb, width, height))] },
    {
      name: 'pnm',
      seeds: [
        oneFile('a.ppm', pnm('P6', width, height, 255, rgb)),
        oneFile('a.pgm', pnm('P5', width, height, 65535, rgb.subarray(0, 2 * width * height))),
        oneFile('a.pnm', Buffer.from('P3 2 2 255\n1 2 3 4 5 6 7 8 9 10 11 12\n')),
      ],
    },
    {
      name: 'folder',
      seeds: [
        {
          files: {
            '0.png': await picture().png().toBuffer(),
            '1.webp': await picture().webp().toBuffer(),
            '2.bmp': bmp(rgb, width, height),
          },
          open: '',
        },
      ],
    },
  ]
  await mutationRun(t, new URL('../support/image-readers.js', import.meta.url), readers, 40)
})
