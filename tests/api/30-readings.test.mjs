import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { makeDevice, Server } from '../lib/server.mjs';

const run = promisify(execFile);
let s, d;
const rfc = (t) => new Date(t).toISOString();

before(async () => {
  s = await Server.start();
  d = await makeDevice(s, {
    code: 'TEST-GW-1',
    points: [...['mqttv311', 'mqttv5'].map((v) => ({ code: `LT-${v}`, kind: 'level', unit: '%', ll: 5, l: 10, h: 80, hh: 90 })), { code: 'TEST-TT-1', kind: 'temperature', unit: '℃' }],
  });
});
after(() => s.stop());

const push = (readings, key = d.key) => s.call('POST', '/api/v1/readings', readings, { headers: { Authorization: `Device TEST-GW-1:${key}` } });
const publish = (version, payload, { user = 'TEST-GW-1', key = d.key, topic = 'anlan/v1/TEST-GW-1/readings' } = {}) =>
  run('mosquitto_pub', ['-V', version, '-h', '127.0.0.1', '-p', String(s.mqtt), '-i', `pub-${Math.random()}`, '-q', '1', '-u', user, '-P', key, '-t', topic, '-m', JSON.stringify(payload)]);

test('pushed readings are in the history, once', async () => {
  const t0 = Date.now() - 60000;
  const body = Array.from({ length: 50 }, (_, i) => ({ point: 'TEST-TT-1', time: rfc(t0 + i * 1000), value: 20 + i / 10 }));
  const first = await push(body);
  assert.equal(first.status, 200, first.text);
  assert.equal(first.json.accepted, 50);
  await push(body);
  const got = await d.bureau.ok_get(`/api/v1/points/TEST-TT-1/series?from=${encodeURIComponent(rfc(t0 - 1000))}`);
  assert.equal(got.items.length, 50);
  assert.equal(got.items[49][1], 24.9);
  const steps = await d.bureau.ok_get(`/api/v1/points/TEST-TT-1/series?from=${encodeURIComponent(rfc(t0))}&to=${encodeURIComponent(rfc(t0 + 50000))}&step=10s`);
  assert.equal(steps.items.length, 5);
  assert.equal(steps.items[0].count, 10);
  assert.equal(steps.items[0].min, 20);
  assert.equal(steps.items[0].max, 20.9);
  assert.equal(steps.items[4].last, 24.9);
});

test('bad readings are refused one by one, with the reason', async () => {
  const r = await push([
    { point: 'TEST-TT-1', time: rfc(Date.now()), value: 21 }, { point: 'NO-SUCH', time: rfc(Date.now()), value: 1 },
    { point: 'TEST-TT-1', time: '昨天', value: 1 }, { point: 'TEST-TT-1', time: rfc(Date.now() + 3600e3 * 24), value: 1 }, { point: 'TEST-TT-1', time: rfc(Date.now()), value: 'x' },
  ]);
  assert.equal(r.status, 200, r.text);
  assert.equal(r.json.accepted, 1);
  assert.deepEqual(r.json.rejected.map((x) => x.reason), ['unknown_point', 'time', 'time', 'value']);
  const broken = await push('[{"point":');
  assert.equal(broken.status, 400);
});

test('a wrong key is refused and counted', async () => {
  assert.equal((await push([], 'wrong-key')).status, 401);
  const h = (await d.bureau.ok_get('/api/v1/devices/health')).items.find((x) => x.code === 'TEST-GW-1');
  assert.ok(h.rejects.auth >= 1);
});

test('a device may say who it is in four ways', async () => {
  const body = (n) => [{ point: 'TEST-TT-1', time: rfc(Date.now() + n), value: 20 }];
  const basic = Buffer.from(`TEST-GW-1:${d.key}`).toString('base64');
  for (const [n, headers] of [{ Authorization: `Device TEST-GW-1:${d.key}` }, { Authorization: `Basic ${basic}` },
    { Authorization: `Bearer ${d.key}`, 'X-Device': 'TEST-GW-1' }, { Authorization: `Bearer ${d.key}` }].entries()) {
    const r = await s.call('POST', '/api/v1/readings', body(n), { headers });
    assert.equal(r.json?.accepted, 1, r.text);
  }
});

test('SenML and the gateway form are understood', async () => {
  const t = Math.floor(Date.now() / 1000);
  const senml = await push([{ bn: 'TEST-', bt: t, n: 'TT-1', u: 'Cel', v: 30.5 }]);
  assert.equal(senml.json?.accepted, 1, senml.text);
  const local = new Date(Date.now() + 8 * 3600e3 + 1000).toISOString().slice(0, 19).replace('T', ' ');
  const gateway = await push({
    dataId: 'x1', enterpriseId: '1', gatewayId: '1', collectTime: local, isConnectDataSource: true, reportType: 'report',
    datas: [{ quotaId: 'TEST-TT-1', value: 31.5, isValid: true }],
  });
  assert.equal(gateway.json?.accepted, 1, gateway.text);
  const point = await d.bureau.ok_get('/api/v1/points/TEST-TT-1');
  assert.equal(point.value, 31.5);
});

// [{bn, n, u, v}] with integer labels; the value a half float
const senmlCbor = (seconds, half) => {
  const text = (t) => Buffer.concat([Buffer.from([0x60 | t.length]), Buffer.from(t)]);
  const time = Buffer.from([0x1a, 0, 0, 0, 0]);
  time.writeUInt32BE(seconds, 1);
  return Buffer.concat([Buffer.from([0x81, 0xa4, 0x21]), text('TEST-'), Buffer.from([0x22]), time, Buffer.from([0x00]), text('TT-1'), Buffer.from([0x02, 0xf9]), Buffer.from(half, 'hex')]);
};

test('SenML CBOR is understood over HTTP, which may say so, and over MQTT', async () => {
  const t = Math.floor(Date.now() / 1000);
  const post = async (body, type) => {
    const r = await fetch(`${s.url}/api/v1/readings`, { method: 'POST', body, headers: { Authorization: `Device TEST-GW-1:${d.key}`, ...(type ? { 'Content-Type': type } : {}) } });
    return { status: r.status, json: await r.json() };
  };
  assert.equal((await post(senmlCbor(t - 5, '5020'), 'application/senml+cbor')).json.accepted, 1);
  assert.equal((await post(senmlCbor(t - 4, '5028'))).json.accepted, 1, 'without a type the bytes tell');
  assert.equal((await post(JSON.stringify([{ n: 'TEST-TT-1', t: t - 3, v: 34 }]), 'application/senml+json; charset=utf-8')).json.accepted, 1);
  assert.equal((await post(senmlCbor(t, '5020'), 'application/senml+json')).status, 400, 'it is not what its type says');
  assert.equal((await post('[]', 'application/senml+cbor')).status, 400);
  assert.equal((await post(Buffer.from('81a3', 'hex'), 'application/senml+cbor')).status, 400);

  const file = join(s.dir, 'pack.cbor');
  await writeFile(file, senmlCbor(t - 2, '5040')); // 34.0
  await run('mosquitto_pub', ['-V', 'mqttv5', '-h', '127.0.0.1', '-p', String(s.mqtt), '-q', '1', '-u', 'TEST-GW-1', '-P', d.key, '-t', 'anlan/v1/TEST-GW-1/readings', '-f', file]);
  const got = await d.bureau.ok_get(`/api/v1/points/TEST-TT-1/series?from=${encodeURIComponent(rfc((t - 5) * 1000))}&to=${encodeURIComponent(rfc((t - 1) * 1000))}`);
  assert.deepEqual(got.items.map((x) => x[1]).filter((v) => [33, 33.25, 34].includes(v)), [33, 33.25, 34, 34]);
});

for (const version of ['mqttv311', 'mqttv5']) {
  test(`an unmodified ${version} client raises an alarm that is listed and streamed`, async () => {
    const duty = await s.as('duty');
    const ev = await duty.events();
    const point = `LT-${version}`;
    await publish(version, [{ point, time: rfc(Date.now()), value: 50 }]);
    await publish(version, [{ point, time: rfc(Date.now()), value: 95 }]);
    // nothing more is sent: the on-delay runs out by itself
    const event = await ev.wait('the alarm event', (e) => e.name === 'alarm' && e.data.point.code === point && e.data.active);
    assert.ok(['hh', 'h'].includes(event.data.level), event.data.level);
    const listed = (await duty.ok_get('/api/v1/alarms')).items.find((a) => a.point.code === point);
    assert.ok(listed);
    assert.ok(listed.say.zh && listed.say.en && listed.guide.zh);
    ev.close();
  });
}

test('MQTT refuses with the codes of the protocol', async () => {
  const at = rfc(Date.now());
  await assert.rejects(publish('mqttv311', [{ point: 'LT-mqttv5', time: at, value: 1 }], { key: 'wrong' }), (e) => /bad user name or password|not authori[sz]ed/i.test(e.stderr));
  await assert.rejects(publish('mqttv5', [{ point: 'LT-mqttv5', time: at, value: 1 }], { key: 'wrong' }), (e) => /not authori[sz]ed|bad user name or password/i.test(e.stderr));
  await assert.rejects(publish('mqttv5', [], { user: 'nobody', key: 'x' }), (e) => /not authori[sz]ed|bad user name or password/i.test(e.stderr));
});
