// Owns: `npm start`: set-up, then the command line; without arguments, the sample clip.
// Must not know: what the commands do.

import { pathToFileURL } from 'node:url'
import { inRoot } from './shared/paths.mjs'
import { guarded, setUp } from './setup.mjs'

await guarded(setUp)

// npm runs scripts in the package's folder; paths that a person types are relative to where the person is.
if (process.env.npm_lifecycle_event === 'start' && process.env.INIT_CWD) process.chdir(process.env.INIT_CWD)

const given = process.argv.slice(2)
const command = given.length > 0 ? ['run', ...given] : ['sample', '-o', 'sample-output']
const has = (option) => given.some((argument) => argument === option || argument.startsWith(`${option}=`))
if (!has('--checkpoint') && !has('--help') && !has('-h') && !process.env.VIDEO_DEPTH_CHECKPOINT) {
  process.env.VIDEO_DEPTH_CHECKPOINT = inRoot('engines', 'synthetic_vda_tiny.safetensors')
  process.stderr.write(
    'No checkpoint was named, so the bundled small network runs, which has seen rendered scenes alone.\n' +
      'For the published ones: npm start -- VIDEO --checkpoint FILE (where to get one: engines/README.md)\n',
  )
}

const main = inRoot('dist', 'esm', 'cli', 'main.js')
// The command line runs in this process, so that signals and exit codes are its own.
process.argv = [process.execPath, main, ...command]
await import(pathToFileURL(main).href)
