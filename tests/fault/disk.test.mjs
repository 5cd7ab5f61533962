// A full disk: readings are refused with a clear error, reading goes on, nothing acknowledged is lost, and writing
// resumes when there is room. Needs root for a small tmpfs; says so otherwise.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeDevice, Server, until } from '../lib/server.mjs';

function smallDisk(mib) {
  const dir = mkdtempSync(join(tmpdir(), 'anlan-disk-'));
  try { execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', dir], { stdio: 'pipe' }); } catch { return null; }
  return dir;
}

test('full disk', { timeout: 900000 }, async (t) => {
  const dir = smallDisk(400);
  if (!dir) { t.skip('mounting a small disk needs root'); return; }
  const s = await Server.start({ dir, copied: true });
  const d = await makeDevice(s, { code: 'DISK-1', points: [{ code: 'DISK-P1', kind: 'temperature', unit: '℃' }] });
  const base = Date.now() - 3600e3;
  const push = (i) => s.call('POST', '/api/v1/readings', Array.from({ length: 100 }, (_, k) => ({ point: 'DISK-P1', time: new Date(base + (i * 100 + k)).toISOString(), value: i + k / 100 })),
    { headers: { Authorization: `Device DISK-1:${d.key}` } });
  let acked = 0;
  for (; acked < 20; acked++) assert.equal((await push(acked)).status, 200);

  const ballast = join(dir, 'ballast');
  const free = () => { const st = statfsSync ? statfsSync(dir) : null; return st ? st.bavail * st.bsize : 0; };
  try { for (let i = 0; i < 1000; i++) writeFileSync(`${ballast}${i}`, Buffer.alloc(Math.max(4096, Math.min(8 << 20, free())))); } catch { /* full */ }
  // preallocated log space may still take readings for a while: go on until one is refused
  let refused = null;
  for (let i = 0; i < 4000 && !refused; i++) {
    const r = await push(acked);
    if (r.status === 200) acked++;
    else refused = r;
  }
  if (refused) {
    assert.ok([503, 507].includes(refused.status), `${refused.status} ${refused.text}`);
    assert.match(refused.json.error.message, /磁盘|disk/);
    assert.notEqual((await s.call('GET', '/healthz')).status, 200);
  }
  const duty = await s.call('GET', `/api/v1/points/DISK-P1`, undefined, { token: d.bureau.token });
  assert.equal(duty.status, 200, 'reading goes on while the disk is full');
  // the database's log keeps the room that it has: records go in until it is used up
  let write, written = 0;
  for (; written < 20000; written++) {
    write = await d.bureau.post('/api/v1/records/good_practice', { title: `满盘 ${written}`, content: 'x'.repeat(4000), effect: 'x' });
    if (write.status !== 201) break;
  }
  assert.ok(write.status >= 500, `a record cannot be written: ${write.status} ${write.text}`);

  execFileSync('sh', ['-c', `rm -f ${ballast}*`]);
  await until('writing to resume', async () => (await push(acked)).status === 200);
  acked++;
  const rows = (await d.bureau.ok_get(`/api/v1/points/DISK-P1/series?from=${encodeURIComponent(new Date(base - 1000).toISOString())}&max=1000000`)).items;
  assert.ok(rows.length >= acked * 100, `${rows.length} rows for ${acked * 100} acknowledged`);
  assert.equal(new Set(rows.map((r) => r[0])).size, rows.length);
  assert.equal((await d.bureau.ok_get(`/api/v1/records/good_practice?size=1&q=${encodeURIComponent('满盘')}`)).total, written, 'each record that was acknowledged, and no other');
  assert.equal((await d.bureau.post('/api/v1/records/device', { code: 'DISK-3', name: 'x', enterprise: d.enterprise.id, protocol: 'mqtt' })).status, 201);
  await s.stop();
  execFileSync('umount', [dir]);
  rmSync(dir, { recursive: true, force: true });
});
