// Owns: the agreement between a thread that runs ONNX Runtime and one that wants to end it.
// Must not know: graphs, messages.

/** Shared memory: whether the thread is to stop, whether it is inside ONNX Runtime. */
const stop = 0
const running = 1

/**
 * onnxruntime-node (seen with 1.30) aborts the whole process when its thread is terminated while it runs a graph: it
 * throws where nothing can be thrown any more. So a thread is only ended while it is outside.
 */
export class RunGate {
  readonly memory: Int32Array

  constructor(memory: Int32Array = new Int32Array(new SharedArrayBuffer(8))) {
    this.memory = memory
  }

  get stopped(): boolean {
    return Atomics.load(this.memory, stop) === 1
  }

  /** In the running thread. Gives undefined, and does nothing, once the gate is shut. */
  async pass<T>(work: () => Promise<T>): Promise<{ readonly value: T } | undefined> {
    Atomics.store(this.memory, running, 1)
    try {
      return this.stopped ? undefined : { value: await work() }
    } finally {
      Atomics.store(this.memory, running, 0)
      Atomics.notify(this.memory, running)
    }
  }

  /** In any thread: no further run begins. */
  shut(): void {
    Atomics.store(this.memory, stop, 1)
  }

  /** Blocks until the run under way has ended. Only for a process that is about to end. */
  waitOutside(timeoutMs: number): void {
    const deadline = performance.now() + timeoutMs
    while (Atomics.load(this.memory, running) === 1) {
      const left = deadline - performance.now()
      if (left <= 0 || Atomics.wait(this.memory, running, 1, left) === 'timed-out') return
    }
  }
}
