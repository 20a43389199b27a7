// Owns: the values that a pickle is read into, and the two ways in which one is refused.
// Must not know: pickle bytes, PyTorch, files.

import { VideoDepthError } from '../../base/errors.js'

/** Base of everything that the host makes. */
export abstract class PickleObject {
  protected readonly hosted = true
}

/**
 * A class of which nothing is made, or an object that nothing was put into: what a file says beside its tensors. What is
 * called, built or filled with it stays this.
 */
export class PickleInert extends PickleObject {}

export class PickleTuple {
  readonly items: readonly PickleValue[]
  constructor(items: readonly PickleValue[]) {
    this.items = items
  }
}

export class PickleList {
  readonly items: PickleValue[] = []
}

/** A dict or an OrderedDict. A Map, so that no key reaches a prototype. */
export class PickleDict {
  readonly entries = new Map<PickleValue, PickleValue>()
}

export type PickleValue =
  null | boolean | number | bigint | string | PickleTuple | PickleList | PickleDict | PickleObject

export function forbidden(what: string): VideoDepthError {
  return new VideoDepthError(
    'CHECKPOINT_FORBIDDEN',
    `The checkpoint's pickle asks for ${what}, which a state_dict does not need. Nothing was executed. ` +
      `If you trust the file, re-save only its tensors: torch.save(model.state_dict(), "checkpoint.pth")`,
  )
}

export function damaged(reason: string): VideoDepthError {
  return new VideoDepthError('CHECKPOINT_UNREADABLE', `The checkpoint's pickle is damaged: ${reason}`)
}
