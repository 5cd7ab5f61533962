// kill -9 again and again while an import runs, and while a backup is written: every row becomes a record exactly once, and
// there is never half a backup.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { root, Server, sleep, until } from '../lib/server.mjs';

const KILLS = Number(process.env.KILLS || 10), ROWS = 6000;
const binary = process.env.ANLAN_BIN || join(root, 'build', 'anlan');

const ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY';
function uscc(n) {
  const first = `91990121MK${String(n).padStart(7, '0')}`;
  let sum = 0;
  for (let i = 0; i < 17; i++) sum += ALPHABET.indexOf(first[i]) * (3 ** i % 31);
  return first + ALPHABET[(31 - sum % 31) % 31];
}

function core(pid) {
  for (const p of readdirSync('/proc').filter((x) => /^\d+$/.test(x))) {
    try {
      const stat = readFileSync(`/proc/${p}/stat`, 'utf8');
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid && readdirSync(`/proc/${p}/task`).length > 1) return Number(p);
    } catch { /* gone */ }
  }
  return 0;
}

test('an import goes on after every kill and each row is one record', async () => {
  const s = await Server.start();
  try {
    let who = await s.as('bureau');
    let text = '企业名称,统一社会信用代码,行业领域,所在区域,位置\r\n';
    for (let i = 0; i < ROWS; i++) text += `断电企业${i},${uscc(i)},危险化学品,990121101000,"118.1,32.4"\r\n`;
    const res = await fetch(`${s.url}/api/v1/imports?type=enterprise&key=uscc`, { method: 'POST', headers: { Authorization: `Bearer ${who.token}` }, body: text });
    const { id } = await res.json();
    const get = async () => {
      const r = await who.get(`/api/v1/imports/${id}`);
      return r.status === 200 ? r.json : null;
    };
    let kills = 0, ran = false, im;
    const kill = async () => {
      const pid = core(s.child.pid);
      if (pid) { try { process.kill(pid, 'SIGKILL'); kills++; } catch { /* just gone */ } }
      await until('the core to come back', async () => (await s.probe()) && core(s.child.pid) !== pid);
    };
    const end = Date.now() + 900000;
    for (;;) {
      assert.ok(Date.now() < end, JSON.stringify(im));
      im = await get().catch(() => null);
      if (im?.state === 'checked' && !ran) {
        assert.deepEqual([im.rows, im.created, im.failed], [ROWS, ROWS, 0]);
        await who.ok_post(`/api/v1/imports/${id}/run`, {});
        ran = true;
        continue;
      }
      if (im && ['done', 'failed'].includes(im.state)) break;
      // the check begins again after a kill: a few of them there, the others while records are made
      if (im && kills < (ran ? KILLS : 3)) await kill();
      await sleep(ran ? 10 + Math.random() * 70 : 500); // often: a fast machine has done in half a second
    }
    assert.deepEqual([im.state, im.created, im.failed], ['done', ROWS, 0], JSON.stringify(im.errors));
    console.log(`# ${kills} kills`);
    assert.ok(kills >= 5, `${kills} kills`);
    let total = 0;
    const seen = new Set(), numbers = new Set();
    for (let page = 1; ; page++) {
      const r = await who.ok_get(`/api/v1/records/enterprise?q=${encodeURIComponent('断电企业')}&size=500&sort=id&page=${page}`);
      for (const e of r.items) { seen.add(e.uscc); numbers.add(e.number); }
      total = r.total;
      if (r.items.length < 500) break;
    }
    assert.deepEqual([total, seen.size, numbers.size], [ROWS, ROWS, ROWS]);
    const auditor = await s.as('auditor');
    assert.equal((await auditor.ok_get('/api/v1/audit/verify')).ok ?? true, true);
    // and the way back survives too
    await who.ok_post(`/api/v1/imports/${id}/undo`, {});
    for (let k = 0; k < 3; k++) { await sleep(200); await kill(); }
    im = await until('the undo', async () => { const x = await get(); return x && x.state !== 'undoing' && x; }, 600000);
    assert.deepEqual([im.state, im.undone, im.kept], ['undone', ROWS, 0]);
  } finally { await s.stop(); }
});

test('a backup that is killed leaves no file, and the next one is whole', async () => {
  const s = await Server.start();
  const dir = mkdtempSync(join(tmpdir(), 'anlan-backup-'));
  const file = join(dir, 'b.zip');
  const backup = () => {
    const child = spawn(binary, ['backup', file, '--data', s.dir], { stdio: 'ignore' });
    return { child, ended: new Promise((ok) => child.once('exit', ok)) };
  };
  try {
    let cut = 0;
    for (let i = 0; i < 12; i++) {
      const b = backup();
      await sleep(2 + i * 6);
      b.child.kill('SIGKILL');
      await b.ended;
      if (existsSync(file)) { rmSync(file); continue; } // it had come to its end
      cut++;
    }
    assert.ok(cut > 0);
    assert.equal(await backup().ended, 0);
    assert.deepEqual(readdirSync(dir), ['b.zip']);
    const check = spawn(binary, ['archive', '--check', file], { stdio: 'ignore' });
    assert.equal(await new Promise((ok) => check.once('exit', ok)), 0);
  } finally {
    await s.stop();
    rmSync(dir, { recursive: true, force: true });
  }
});
