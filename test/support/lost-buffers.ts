// Owns: every way in which a caller can take a buffer's memory, or what is in it, from a job that reads it.
// Must not know: what reads it.

/** ES2024's; Node.js 20 has no `transfer`. */
type Growable = ArrayBuffer & { resize(bytes: number): void; transfer?(bytes?: number): ArrayBuffer }

/** A buffer that can be resized, and a view that has no length of its own or a fixed one. */
export function resizable(bytes: number, fill = 0): { buffer: ArrayBuffer; data: Uint8Array<ArrayBuffer> } {
  const Buffer = ArrayBuffer as unknown as new (bytes: number, options: { maxByteLength: number }) => ArrayBuffer
  const buffer = new Buffer(bytes, { maxByteLength: bytes })
  return { buffer, data: new Uint8Array(buffer).fill(fill) }
}

export const shrink = (buffer: ArrayBuffer): void => (buffer as Growable).resize(0)

export const transfer = (buffer: ArrayBuffer): void => {
  const growable = buffer as Growable
  if (growable.transfer === undefined) structuredClone(buffer, { transfer: [buffer] })
  else growable.transfer(1)
}

export const clone = (buffer: ArrayBuffer): void => void structuredClone(buffer, { transfer: [buffer] })

export const overwrite = (buffer: ArrayBuffer): void => void new Uint8Array(buffer).fill(0x55)

/** `shrink` is for resizable buffers. */
export const waysToLose = { shrink, transfer, clone, overwrite }
