// Owns: where this package lies on disk, the same for the ESM and the CommonJS build.
// Must not know: anything else.

import path = require('node:path')

/** Absolute path of the folder that holds package.json; empty in a bundle that has no folder (own-package.ts tells of it). */
const packageRoot: string = typeof __dirname === 'string' ? path.resolve(__dirname, '..', '..') : ''

export = packageRoot
