// Owns: the types of node-gyp-build, which ships none.
// Must not know: the addon.

declare module 'node-gyp-build' {
  interface Load {
    /** Loads the addon of the package in `directory`: its own build first, then a prebuilt one. */
    (directory: string): unknown
    /** The file that would be loaded; throws where there is none. */
    resolve(directory: string): string
  }
  const load: Load
  export = load
}
