// Owns: that programs which tests start run as a user starts them, not under tap's hooks (`.taprc` preloads this).
// Must not know: any test.

import processOnSpawn from 'process-on-spawn'

// The listener gives tap's loader to every child in NODE_OPTIONS, for coverage that nobody measures here.
processOnSpawn.removeAllListeners()
