// Somebody has the server's files in hand and no respect for triggers: whatever he changes, the verifier finds it, back to
// the last anchor that was kept elsewhere.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Server, root, until } from '../lib/server.mjs';

const verifier = join(root, 'build', 'anlan-verify');
let s, work, outside, exported, anchors, first;
before(async () => {
  work = mkdtempSync(join(tmpdir(), 'anlan-tamper-'));
  outside = mkdtempSync(join(tmpdir(), 'anlan-anchors-'));
  s = await Server.start({ args: ['--anchor-dir', outside] });
  const [bureau, town, auditor] = await Promise.all(['bureau', 'town', 'auditor'].map((r) => s.as(r)));
  const ent = (await town.ok_get('/api/v1/records/enterprise?size=1')).items[0];
  await until('the first anchor', () => readdirSync(outside).length > 0);
  first = (await auditor.ok_get('/api/v1/audit/anchors')).items[0];
  for (let i = 0; i < 5; i++) {
    const h = (await bureau.ok_get('/api/v1/records/enterprise?size=1')).items[0];
    await bureau.ok_patch(`/api/v1/records/enterprise/${h.id}`, { version: h.version, name: `甲厂${i}` });
  }
  await town.post(`/api/v1/records/person/${town.me.id}/reveal`, { fields: ['phone'], reason: '核对' });
  exported = (await auditor.get('/api/v1/audit/export')).text;
  anchors = join(work, 'noted.txt');
  // what was noted: the day's anchor, the end of the export, and a line somebody copied from a printed document
  writeFileSync(anchors, `${readdirSync(outside).map((f) => readFileSync(join(outside, f), 'utf8')).join('')}${exported.trim().split('\n').at(-1)}\n安应急罚〔2026〕001号 审计锚 ${first.seq}:${first.hash}\n`);
  assert.ok(ent);
  s.keepDir = true;
  await s.stop();
  execFileSync('sqlite3', [join(s.dir, 'anlan.db'), 'PRAGMA wal_checkpoint(TRUNCATE)']);
});
after(() => { for (const d of [s.dir, work, outside]) rmSync(d, { recursive: true, force: true }); });

const verify = (...args) => {
  const r = spawnSync(verifier, args, { encoding: 'utf8' });
  return { code: r.status, out: r.stdout + r.stderr };
};
let n = 0;
function tampered(sql) {
  const db = join(work, `t${n++}.db`);
  cpSync(join(s.dir, 'anlan.db'), db);
  execFileSync('sqlite3', [db], { input: `DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; DROP TRIGGER audit_head_stays;\n${sql};\n` });
  return db;
}
const rows = (db, sql) => JSON.parse(execFileSync('sqlite3', ['-json', db, sql], { encoding: 'utf8', maxBuffer: 1 << 28 }) || '[]');

test('what nobody touched is whole, as a database, as an export, with its anchors', () => {
  const db = verify('--anchors', anchors, s.dir);
  assert.equal(db.code, 0, db.out);
  assert.match(db.out, /rows\/记录 [1-9]\d{3}/);
  const file = join(work, 'chain.ndjson');
  writeFileSync(file, exported);
  const lines = verify('--anchors', anchors, file);
  assert.equal(lines.code, 0, lines.out);
});

test('every kind of edit of the entries is named with its place', () => {
  const last = rows(join(s.dir, 'anlan.db'), 'SELECT max(seq) AS n FROM audit')[0].n;
  for (const [sql, kind, says] of [
    ["UPDATE audit SET detail='{}' WHERE seq=70", 'altered', /entry 70 is altered/],
    ['UPDATE audit SET at=at+1 WHERE seq=1', 'altered', /entry 1 is altered/],
    ["UPDATE audit SET actor_name='某人' WHERE seq=33", 'altered', /entry 33 is altered/],
    ['UPDATE audit SET actor=9 WHERE seq=33', 'altered', /entry 33 is altered/],
    ["UPDATE audit SET action='x' WHERE seq=34", 'altered', /entry 34 is altered/],
    ['UPDATE audit SET record=record+1 WHERE seq=35', 'altered', /entry 35 is altered/],
    ['UPDATE audit SET row_hash=NULL WHERE seq=36 AND row_hash IS NOT NULL', 'altered', /entry 36 is altered/],
    ['UPDATE audit SET hash=zeroblob(32) WHERE seq=40', 'altered', /entry 40 is altered/],
    ['DELETE FROM audit WHERE seq=50', 'incomplete', /entry 50 is missing/],
    ['DELETE FROM audit WHERE seq BETWEEN 50 AND 60', 'incomplete', /entries 50 to 60 are missing/],
    ['DELETE FROM audit WHERE seq=1', 'incomplete', /entry 1 is missing/],
    [`DELETE FROM audit WHERE seq>${last - 3}`, 'incomplete', new RegExp(`cut off after entry ${last - 3}`)],
    [`DELETE FROM audit WHERE seq>${last - 3}; UPDATE audit_head SET seq=${last - 3}, hash=(SELECT hash FROM audit WHERE seq=${last - 3})`, 'incomplete', new RegExp(`cut off after entry ${last - 3}: an anchor`)],
    ['UPDATE audit SET seq=900000 WHERE seq=80; UPDATE audit SET seq=80 WHERE seq=81; UPDATE audit SET seq=81 WHERE seq=900000', 'altered', /entry 80 is altered/],
    ['UPDATE audit_head SET hash=zeroblob(32)', 'altered', /head/],
    ['DELETE FROM audit_head', 'incomplete', /no head/],
  ]) {
    const r = verify('--anchors', anchors, tampered(sql));
    assert.equal(r.code, 1, `${sql}\n${r.out}`);
    assert.match(r.out, says, sql);
    assert.match(r.out, new RegExp(`^${kind}`, 'm'), sql);
    assert.match(r.out, /^unprotected/m, 'the missing triggers show too');
  }
});

test('one altered entry is one finding, not all that follow', () => {
  const r = verify(tampered("UPDATE audit SET detail='{}' WHERE seq IN (70, 90)"));
  assert.equal(r.out.match(/^altered\S* +/gm).filter(Boolean).length >= 2, true, r.out);
  assert.match(r.out, /altered\/改动: 2$/m);
});

// ---- a chain written anew, so that it holds in itself ----------------------------------------------
const le = (v) => { const b = Buffer.alloc(8); b.writeBigInt64LE(BigInt(v)); return b; };
const text = (t) => { const b = Buffer.from(t); const l = Buffer.alloc(4); l.writeUInt32LE(b.length); return Buffer.concat([l, b]); };
function digest(before, e) {
  const h = createHash('sm3').update(before).update(le(e.seq)).update(le(e.at)).update(le(e.actor)).update(le(e.record));
  for (const t of [e.actor_name, e.action, e.type, e.detail]) h.update(text(t));
  if (e.row) h.update(Buffer.from(e.row, 'hex'));
  return h.digest();
}
function rewrite(from, change) { // rewrites entry `from` and every digest after it
  const db = tampered(change);
  const list = rows(db, `SELECT seq, at, actor, actor_name, action, type, record, detail, lower(hex(row_hash)) AS row FROM audit WHERE seq >= ${from} ORDER BY seq`);
  let before = from > 1 ? Buffer.from(rows(db, `SELECT hex(hash) AS h FROM audit WHERE seq = ${from - 1}`)[0].h, 'hex') : Buffer.alloc(32);
  const sql = list.map((e) => { before = digest(before, e); return `UPDATE audit SET hash = x'${before.toString('hex')}' WHERE seq = ${e.seq};`; });
  const guards = `CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT,'x'); END; CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT,'x'); END; CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head BEGIN SELECT RAISE(ABORT,'x'); END;`;
  execFileSync('sqlite3', [db], { input: `BEGIN; ${sql.join('\n')} UPDATE audit_head SET hash = x'${before.toString('hex')}'; COMMIT; ${guards}` });
  return db;
}

test('the digest is as described: written a second time here, it fits every entry', () => {
  let before = Buffer.alloc(32);
  for (const e of exported.trim().split('\n').filter((l) => l[0] === '{').map((l) => JSON.parse(l))) {
    before = digest(before, e);
    assert.equal(before.toString('hex'), e.hash, `entry ${e.seq}`);
  }
});

test('a rewritten chain holds in itself, and is found by an anchor kept elsewhere, back to the last good one', () => {
  const change = `UPDATE audit SET actor_name = '无名' WHERE seq = ${first.seq + 1}`;
  const db = rewrite(first.seq + 1, change);
  const alone = verify(db);
  assert.equal(alone.code, 0, `without anchors nothing shows, that is why they are kept:\n${alone.out}`);
  const r = verify('--anchors', anchors, db);
  assert.equal(r.code, 1);
  assert.match(r.out, /^rewritten/m);
  assert.match(r.out, new RegExp(`the last anchor that fits is ${first.seq}`));
  assert.doesNotMatch(r.out, /^altered/m);

  const early = rewrite(10, "UPDATE audit SET detail = '{}' WHERE seq = 10");
  const e = verify('--anchor', `${first.seq}:${first.hash}`, early);
  assert.equal(e.code, 1);
  assert.match(e.out, /the last anchor that fits is 0/);
});

test('rows changed, deleted or inserted past the program are found', () => {
  for (const [sql, says] of [
    ["UPDATE r_enterprise SET name='乙厂' WHERE id=3", /record enterprise\/3 was changed past the platform/],
    ["UPDATE r_enterprise SET area='990121102000' WHERE id=3 AND area<>'990121102000'", /record enterprise\/3 was changed/],
    ['UPDATE r_person SET phone=NULL WHERE id=3', /record person\/3 was changed/],
    ['UPDATE r_person SET retired=1 WHERE id=3', /record person\/3 was changed/],
    ["UPDATE r_person SET role=',admin,' WHERE id=4", /record person\/4 was changed/],
    ['DELETE FROM r_enterprise WHERE id=3', /record enterprise\/3 was deleted past the platform/],
    ["INSERT INTO r_person(login, name, title, role) VALUES('ghost', '幽灵', '幽灵', ',admin,')", /record person\/\d+ has no entry at all/],
  ]) {
    const r = verify('--anchors', anchors, tampered(sql));
    assert.equal(r.code, 1, `${sql}\n${r.out}`);
    assert.match(r.out, says, sql);
  }
});

test('an export: a line changed, taken out, moved, cut off', () => {
  const lines = exported.trim().split('\n');
  const end = lines.length - 2; // index of the last entry
  for (const [edit, says] of [
    [(l) => { l[19] = l[19].replace(/"actor":\d+/, '"actor":77'); }, /entry 20 is altered/],
    [(l) => { l.splice(19, 1); }, /entry 20 is missing/],
    [(l) => { l.splice(19, 5); }, /entries 20 to 24 are missing/],
    [(l) => { [l[19], l[20]] = [l[20], l[19]]; }, /out of order/],
    [(l) => { l.splice(end - 4, 5); }, /cut off after entry/],
    [(l) => { l.splice(end - 4); }, /cut off after entry|no anchor line/],
  ]) {
    const l = [...lines];
    edit(l);
    const file = join(work, `e${n++}.ndjson`);
    writeFileSync(file, `${l.join('\n')}\n`);
    const r = verify(file);
    assert.equal(r.code, 1, r.out);
    assert.match(r.out, says);
  }
});

test('what is no database and no export is said to be none', () => {
  const junk = join(work, 'junk.db');
  writeFileSync(junk, 'nothing of ours '.repeat(1000));
  assert.equal(verify(junk).code, 2);
  assert.equal(verify(join(work, 'not-there')).code, 2);
  assert.equal(verify('--anchor', 'nonsense', junk).code, 2);
});
