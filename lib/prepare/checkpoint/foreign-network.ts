// Owns: recognising checkpoints of other networks that people are likely to try, to say so by name.
// Must not know: Video Depth Anything's own layout beyond its first name parts.

interface Signature {
  readonly network: string
  readonly pattern: RegExp
  readonly advice: string
}

const wanted = 'download a checkpoint named video_depth_anything_vit…'

/** The first that matches any tensor name is taken. */
const signatures: readonly Signature[] = [
  {
    network: 'Depth Anything V1 or V2, the image model',
    pattern: /^depth_head\./,
    advice: `it has no temporal modules; ${wanted}`,
  },
  {
    network: 'a network in the layout of the transformers library',
    pattern: /^(backbone\.embeddings|neck\.reassemble|vit\.embeddings)/,
    advice: wanted,
  },
  {
    network: 'the DINOv2 encoder alone',
    pattern: /^(blocks\.\d+\.(\d+\.)?attn\.qkv|patch_embed\.proj)\./,
    advice: `it has no depth head; ${wanted}`,
  },
  { network: 'a ResNet', pattern: /^layer[1-4]\.\d+\.(conv|bn)\d\./, advice: wanted },
]

/** A sentence naming the network, or undefined where the names are at least those of Video Depth Anything. */
export function foreignNetwork(tensors: ReadonlyMap<string, unknown>): string | undefined {
  const names = [...tensors.keys()]
  if (names.some((name) => name.startsWith('head.motion_modules.'))) return undefined
  const signature = signatures.find(({ pattern }) => names.some((name) => pattern.test(name)))
  if (signature !== undefined) return `It looks like ${signature.network}: ${signature.advice}`
  if (names.length === 0) return `It holds no tensors: ${wanted}`
  if (names.some((name) => name.startsWith('pretrained.')) && names.some((name) => name.startsWith('head.'))) {
    return `It holds no temporal modules (head.motion_modules.…), so it is an image model: ${wanted}`
  }
  return `Its ${names.length} tensors are those of another network (${names.slice(0, 3).join(', ')} …): ${wanted}`
}
