// Bundles each test with the bundler vite brings anyway, and runs it with Node's own test runner: no extra packages.
import { build } from 'esbuild'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const out = mkdtempSync(join(tmpdir(), 'anlan-ui-test-'))
const tests = readdirSync(here).filter((f) => f.endsWith('.test.ts'))
await build({ entryPoints: tests.map((f) => join(here, f)), bundle: true, platform: 'node', format: 'esm', outdir: out, outExtension: { '.js': '.mjs' }, logLevel: 'error', mainFields: ['module', 'main'], define: { 'process.env.NODE_ENV': '"production"' }, inject: [join(here, 'browser.ts')] })
const run = spawnSync(process.execPath, ['--test', out], { stdio: 'inherit' })
rmSync(out, { recursive: true, force: true })
process.exit(run.status ?? 1)
