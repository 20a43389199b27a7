// Owns: where this package lies on disk, the same for the ESM and the CommonJS build.
// Must not know: anything else.

import path = require('node:path')

/** Absolute path of the folder that holds package.json. */
const packageRoot: string = path.resolve(__dirname, '..', '..')

export = packageRoot
