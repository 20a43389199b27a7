// Owns: what every checkpoint format tells about its tensors.
// Must not know: any one format.

export interface StoredTensor {
  /** Keys of nested dicts and its own name, joined by dots. */
  readonly name: string
  /** A FloatType, or another type's name, which only serves messages. */
  readonly type: string
  readonly shape: readonly number[]
  /** Tensors of one file with the same one hold the same values; absent where that is not known. */
  readonly origin?: string
  /** Row-major, little-endian, in memory of its own. */
  read(): Promise<Uint8Array<ArrayBuffer>>
}

export interface TensorFile {
  readonly format: 'pth' | 'safetensors'
  readonly tensors: readonly StoredTensor[]
  /** Entries that are no tensors, by name. */
  readonly others: ReadonlyMap<string, string>
}
