// A command from the device's page, on the phone: chosen from what the protocol has, sent, and the device's answer seen without a reload.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { makeDevice, Server, until } from '../lib/server.mjs';
import { openBrowser, Person, PHONE, watched } from '../lib/browser.mjs';

const MN = '010000A8900016F000169DC0', PW = '123456';
let s, browser, made, sock;

function crc16(text) { // HJ 212-2017 annex A
  let crc = 0xffff;
  for (const b of Buffer.from(text, 'latin1')) {
    crc = (crc >> 8) ^ b;
    for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc.toString(16).toUpperCase().padStart(4, '0');
}
const say = (segment) => sock.write(`##${String(segment.length).padStart(4, '0')}${segment}${crc16(segment)}\r\n`);

before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [] });
  made = await makeDevice(s, { code: MN, protocol: 'hj212', key: PW, points: [{ code: 'CMD-PH', kind: 'temperature', unit: '', address: 'w01001' }] });
  sock = connect(s.hj212, '127.0.0.1');
  sock.on('data', (d) => { // sets its clock, and does not let its interval be changed
    for (const [, qn, cn] of String(d).matchAll(/QN=(\d{17});ST=32;CN=(\d+);/g)) {
      say(`QN=${qn};ST=91;CN=9011;PW=${PW};MN=${MN};Flag=4;CP=&&QnRtn=${cn === '1012' ? 1 : 2}&&`);
      if (cn === '1012') say(`QN=${qn};ST=91;CN=9012;PW=${PW};MN=${MN};Flag=4;CP=&&ExeRtn=1&&`);
    }
  });
  say(`QN=20260801085857223;ST=32;CN=1013;PW=${PW};MN=${MN};Flag=4;CP=&&PolId=w01001&&`);
  await until('it to be there', async () => (await made.bureau.ok_get('/api/v1/devices/health')).items.some((d) => d.code === MN && d.online));
  browser = await openBrowser();
});
after(async () => {
  sock?.destroy();
  await browser?.close();
  await s?.stop();
});

test('phone: the clock is set, an interval is refused, and both answers are there', { timeout: 900000 }, async () => {
  const p = await (await Person.open(browser, s, { size: PHONE })).be('bureau');
  const command = async (label, fill = {}) => {
    await p.test('cmd-kind').click();
    await p.page.locator('.el-select-dropdown__item:visible', { hasText: label }).click();
    for (const [f, v] of Object.entries(fill)) await p.fill(f, v);
    await p.test('cmd-send').click();
    await p.page.locator('.el-message-box__btns .el-button--primary').click();
  };
  await watched([p], 'device-commands', async () => {
    await p.go(`/records/device/${made.device.id}`);
    await p.test('device-commands').waitFor();
    await command('校时');
    await p.row('cmd-row', '校时').locator('[data-test="cmd-state"]', { hasText: '已执行' }).waitFor();
    await command('设置上报间隔', { seconds: '90' });
    const refused = p.row('cmd-row', '设置上报间隔');
    await refused.locator('[data-test="cmd-state"]', { hasText: '未执行' }).waitFor();
    assert.match(await refused.innerText(), /QnRtn=2/);
    const w = await p.width();
    assert.ok(w.page <= w.window && w.main <= 0, JSON.stringify(w));
    p.clean();
  });
  await p.close();
});

test('who may not command sees what was sent, and nothing to send with', { timeout: 900000 }, async () => {
  const p = await (await Person.open(browser, s)).be('duty');
  await watched([p], 'device-commands-duty', async () => {
    await p.go(`/records/device/${made.device.id}`);
    await p.test('cmd-row').first().waitFor();
    assert.equal(await p.test('cmd-send').count(), 0);
    p.clean();
  });
  await p.close();
});
