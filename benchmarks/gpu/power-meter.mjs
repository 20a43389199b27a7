// Owns: what a GPU draws, holds and does while something is measured.
// Must not know: what is measured.

import { spawn } from 'node:child_process'

/** Watts, MiB and percent as nvidia-smi samples them. */
export class PowerMeter {
  #samples = []
  #process
  #ended

  /** @param {string} device which GPU, as nvidia-smi numbers them */
  constructor(device) {
    const query = ['--query-gpu=power.draw,memory.used,utilization.gpu', '--format=csv,noheader,nounits', '-lms', '100']
    this.#process = spawn('nvidia-smi', ['-i', device, ...query], { stdio: ['ignore', 'pipe', 'ignore'] })
    this.#process.stdout.on('data', (text) => {
      for (const row of String(text).trim().split('\n')) this.#samples.push(row.split(',').map(Number))
    })
    this.#ended = new Promise((resolve) => {
      this.#process.on('error', resolve)
      this.#process.on('exit', resolve)
    })
  }

  async stop() {
    this.#process.kill()
    await this.#ended
    const column = (i) => this.#samples.map((row) => row[i]).filter(Number.isFinite)
    const mean = (numbers) => (numbers.length === 0 ? undefined : numbers.reduce((a, b) => a + b, 0) / numbers.length)
    return {
      samples: this.#samples.length,
      watts: mean(column(0)),
      memoryMiB: column(1).length === 0 ? undefined : Math.max(...column(1)),
      busyPercent: mean(column(2)),
    }
  }
}
