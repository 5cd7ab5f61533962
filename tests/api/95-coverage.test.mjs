// doc/coverage.tsv is true: every type, indicator and schedule that a line names is opened on a running server.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Server, root } from '../lib/server.mjs';

let s, people;
const lines = readFileSync(join(root, 'doc', 'coverage.tsv'), 'utf8').trim().split('\n').slice(1).map((l) => l.split('\t'));
const word = (file, key) => new RegExp(`^${key}: *(\\S+)`, 'm').exec(readFileSync(file, 'utf8'))?.[1];
const files = (path, folder) => {
  const full = join(root, path);
  if (path.includes(`/${folder}/`) && path.endsWith('.yaml')) return [full];
  const dir = path.endsWith(`/${folder}`) ? full : join(full, folder);
  return /^packs\/[a-z_]+(\/[a-z]+)?$/.test(path) && existsSync(dir) && statSync(dir).isDirectory() ? readdirSync(dir).map((f) => join(dir, f)) : [];
};

before(async () => {
  s = await Server.start();
  people = await Promise.all(['bureau', 'town', 'enterprise', 'committee', 'leader', 'department', 'admin', 'duty', 'examiner'].map((r) => s.as(r)));
});
after(() => s.stop());

test('every area that must be whole has a line for each of its rows', () => {
  const want = { A: 26, S: 19, T: 20, D: 27, I: 23, J: 25 };
  for (const [group, n] of Object.entries(want)) {
    const have = lines.map((l) => l[0]).filter((id) => id.startsWith(group) && /^[A-Z]\d+$/.test(id)).sort();
    assert.deepEqual([...new Set(have)].length, n, `${group}: ${have}`);
  }
});

test('what a line names is there and opens', async () => {
  const types = new Set(), indicators = new Set();
  for (const [, where] of lines)
    for (const path of where.split(' ')) {
      files(path, 'types').forEach((f) => types.add(word(f, 'type')));
      files(path, 'indicators').forEach((f) => indicators.add(word(f, 'indicator')));
    }
  assert.ok(types.size > 60, `${types.size} types`);
  for (const type of types) {
    let seen = 0;
    for (const p of people) {
      const r = await p.get(`/api/v1/records/${type}?size=1`);
      if (r.status === 200) { seen = 1; assert.ok(r.json.total >= 0); break; }
    }
    assert.ok(seen, `nobody can open ${type}`);
  }
  for (const name of indicators) {
    let r;
    for (const p of people) if ((r = await p.get(`/api/v1/indicators/${name}`)).status === 200) break;
    assert.equal(r.status, 200, `${name}: ${r.text}`);
  }
});

test('a row that is not whole says so in the first words or with In part', () => {
  for (const [id, , how, test] of lines) {
    assert.ok(how.length > 10 && test.length > 0, id);
    if (/not (done|shipped|loaded|yet)/i.test(how)) assert.match(how, /In part|Not done|^No/, id);
  }
});
