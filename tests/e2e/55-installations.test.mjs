// A major hazard installation and the four-colour plan of a plant, as people see them, at a desk and on a phone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { Server, until } from '../lib/server.mjs';
import { openBrowser, Person, PHONE, watched } from '../lib/browser.mjs';

let s, browser, ent, bureau, plan, points;
const shots = process.env.ANLAN_SHOTS; // a folder: pictures for the eye
const shot = async (p, name) => { if (shots) await p.page.screenshot({ path: join(shots, `${name}.png`), fullPage: true }); };

// A drawing of a plant: walls, tanks and a road as grey rectangles.
function drawing(w, h) {
  const px = Buffer.alloc(h * (1 + 3 * w), 255);
  const box = (x0, y0, x1, y1, v) => { for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) px.fill(v, y * (1 + 3 * w) + 1 + 3 * x, y * (1 + 3 * w) + 4 + 3 * x); };
  for (let y = 0; y < h; y++) px[y * (1 + 3 * w)] = 0;
  box(20, 20, w - 20, h - 20, 225); box(24, 24, w - 24, h - 24, 250);
  box(60, 60, 300, 220, 200); box(380, 60, 640, 160, 215); box(60, 300, 500, 420, 190); box(24, 245, w - 24, 275, 235);
  const crc32 = (b) => { let c = ~0; for (const x of b) { c ^= x; for (let k = 0; k < 8; k++) c = (c >>> 1) ^ (0xedb88320 & -(c & 1)); } return ~c >>> 0; };
  const chunk = (type, data) => { const b = Buffer.alloc(12 + data.length); b.writeUInt32BE(data.length); b.write(type, 4, 'latin1'); data.copy(b, 8); b.writeUInt32BE(crc32(b.subarray(4, 8 + data.length)), 8 + data.length); return b; };
  const head = Buffer.alloc(13); head.writeUInt32BE(w); head.writeUInt32BE(h, 4); head[8] = 8; head[9] = 2;
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk('IHDR', head), chunk('IDAT', deflateSync(px)), chunk('IEND', Buffer.alloc(0))]);
}

before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [] });
  [ent, bureau] = [await s.as('enterprise'), await s.as('bureau')];
  const up = await fetch(`${s.url}/api/v1/files?name=${encodeURIComponent('平面图.png')}`, { method: 'POST', body: drawing(720, 450), headers: { Authorization: `Bearer ${ent.token}`, 'Content-Type': 'application/octet-stream' } });
  const picture = (await up.json()).id;
  const point = (name, l) => ent.ok_post('/api/v1/records/risk_point', { name, method: 'ls', ls_l: l, ls_s: 5, tier: 'company', cycle: 'weekly', controls: [{ kind: 'engineering', what: '联锁' }] });
  points = [await point('罐区', 5), await point('装车台', 3), await point('泵房', 2), await point('配电室', 1)];
  plan = await ent.ok_post('/api/v1/records/risk_plan', { name: '厂区风险四色平面图', picture: [picture], spots: [{ point: points[0].id, x: 20, y: 30 }, { point: points[3].id, x: 70, y: 25 }] });
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await s?.stop();
});

test('risk points are put on the drawing, coloured by their level, and stay where they were put', { timeout: 900000 }, async () => {
  const p = await (await Person.open(browser, s)).be('enterprise');
  await watched([p], 'plan', async () => {
    await p.go(`/records/risk_plan/${plan.id}`);
    await p.test(`spot-${points[0].id}`).waitFor();
    await until('the colours', async () => (await p.test(`spot-${points[0].id}`).getAttribute('aria-label')).includes('重大风险'));
    assert.match(await p.test(`spot-${points[3].id}`).getAttribute('aria-label'), /低风险/);
    await shot(p, 'plan-desk');
    await p.test('draw-edit').click();
    await p.test(`left-${points[1].id}`).click();
    const box = await p.test('draw-sheet').boundingBox();
    await p.page.mouse.click(box.x + box.width * 0.5, box.y + box.height * 0.6);
    await p.test(`spot-${points[1].id}`).waitFor();
    await p.test(`spot-${points[3].id}`).focus();
    await p.page.keyboard.press('ArrowRight');
    await p.page.keyboard.press('ArrowRight');
    await shot(p, 'plan-edit');
    await p.test('draw-save').click();
    await p.test('draw-edit').waitFor();
    const now = await ent.ok_get(`/api/v1/records/risk_plan/${plan.id}`);
    const at = Object.fromEntries(now.spots.map((r) => [r.point.id, r]));
    assert.equal(now.spots.length, 3);
    assert.ok(Math.abs(at[points[1].id].x - 50) < 1 && Math.abs(at[points[1].id].y - 60) < 1, JSON.stringify(at[points[1].id]));
    assert.equal(at[points[3].id].x, 71);
  });
  // the level changes, and with it the colour
  const point = await ent.ok_get(`/api/v1/records/risk_point/${points[3].id}`);
  await ent.ok_patch(`/api/v1/records/risk_point/${point.id}`, { version: point.version, ls_l: 5 });
  await p.go(`/records/risk_plan/${plan.id}`);
  await until('the new colour', async () => (await p.test(`spot-${points[3].id}`).getAttribute('aria-label')).includes('重大风险'));
});

test('the grade of an installation with its arithmetic, at a desk and on a phone', { timeout: 900000 }, async () => {
  const [one] = (await ent.ok_get('/api/v1/records/installation?size=1&sort=id')).items;
  for (const size of [undefined, PHONE]) {
    const p = await (await Person.open(browser, s, { size })).be('enterprise');
    await watched([p], size ? 'phone' : 'desk', async () => {
      await p.go(`/records/installation/${one.id}`);
      const lines = await p.test('value-arithmetic').innerText();
      assert.match(lines, /S = /);
      assert.match(lines, /R = .* → [一二三四]级/);
      const w = await p.width();
      assert.ok(w.page <= w.window + 1, JSON.stringify(w));
      await shot(p, size ? 'installation-phone' : 'installation-desk');
      if (size) {
        await p.go(`/records/risk_plan/${plan.id}`);
        await p.test(`spot-${points[0].id}`).waitFor();
        await shot(p, 'plan-phone');
      }
    });
  }
});
