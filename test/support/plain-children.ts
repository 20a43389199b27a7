// Owns: that programs which tests start run as a user starts them, not under tap's hooks (`.taprc` preloads this).
// Must not know: any test.

import processOnSpawn from 'process-on-spawn'

// tap's loader would come to every child, for coverage that nobody measures here; its handlers of signals change how a
// program ends. A listener adds it to NODE_OPTIONS, and tap's runner has put it there for this process.
processOnSpawn.removeAllListeners()
const options = (process.env['NODE_OPTIONS'] ?? '')
  .split(' ')
  .filter((option) => !option.includes('@tapjs/processinfo'))
if (options.join('') === '') delete process.env['NODE_OPTIONS']
else process.env['NODE_OPTIONS'] = options.join(' ')
