import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { zh } from '../src/i18n/zh'
import { en } from '../src/i18n/en'

const SRC = join(process.cwd(), 'src')
function files(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? files(join(dir, e.name)) : /\.(ts|vue)$/.test(e.name) ? [join(dir, e.name)] : []))
}
const holes = (s: string) => [...s.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort().join()

test('both languages have the same keys', () => {
  assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort())
})
test('no text is empty, and both fill the same holes', () => {
  for (const [k, v] of Object.entries(zh)) {
    const other = (en as Record<string, string>)[k]
    assert.ok(v && other, k)
    assert.equal(holes(v), holes(other), k)
  }
})
test('English texts are English', () => {
  for (const [k, v] of Object.entries(en)) if (!k.startsWith('lang.')) assert.doesNotMatch(v, /[\u4e00-\u9fff]/, k)
})
test('no Chinese text stands in the components', () => {
  for (const f of files(SRC).filter((x) => !x.includes('i18n') && !x.endsWith('level.ts') && !x.endsWith('style.ts'))) {
    const code = readFileSync(f, 'utf8').replace(/\/\/.*|\/\*[\s\S]*?\*\/|<!--[\s\S]*?-->/g, '')
    assert.doesNotMatch(code, /[\u4e00-\u9fff]{2,}/, f)
  }
})
test('every key used exists', () => {
  for (const f of files(SRC)) {
    for (const m of readFileSync(f, 'utf8').matchAll(/\bt\('([^']+)'/g)) assert.ok(m[1] in zh, `${m[1]} in ${f}`)
  }
})
