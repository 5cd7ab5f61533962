// Clocks and completeness: what a device's clock says is compared with ours, judged, and shown with what was refused for
// it; a clock that leaps is noticed; years after 2038 are dates like others; what is missing is counted by point.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { makeDevice, Server, sleep, until } from '../lib/server.mjs';

let s, d, gw;
before(async () => {
  s = await Server.start();
  d = await makeDevice(s, { code: 'CLOCK-1', points: ['A', 'B'].map((p) => ({ code: `CK-${p}`, kind: 'temperature', unit: '℃' })) });
  gw = await makeDevice(s, { code: 'CLOCK-GW', points: [{ code: 'CK-GW', kind: 'temperature', unit: '℃' }] });
});
after(() => s.stop());

const push = (code, key, body) => s.call('POST', '/api/v1/readings', body, { headers: { Authorization: `Device ${code}:${key}` } });
const send = (seconds, point = 'CK-A') => push('CLOCK-1', d.key, [{ point, time: new Date(Date.now() + seconds * 1000).toISOString(), value: 20 }]);
const health = async (code = 'CLOCK-1') => (await d.bureau.ok_get('/api/v1/devices/health')).items.find((x) => x.code === code);

test('a good clock, one that is behind, one that is ahead', async () => {
  assert.equal((await health()).clock, 'unknown', 'nothing was heard yet');
  assert.equal((await send(-300)).json.accepted, 1);
  let h = await health();
  assert.equal(h.clock, 'warn');
  assert.ok(h.clock_off_s > 299 && h.clock_off_s < 330, `${h.clock_off_s}`);
  await send(-1); // one that comes in time shows that the other was only late
  h = await health();
  assert.equal(h.clock, 'ok');
  assert.ok(h.clock_off_s >= 1 && h.clock_off_s < 30);
  await send(100);
  h = await health();
  assert.equal(h.clock, 'warn');
  assert.ok(h.clock_off_s < -60 && h.clock_off_s > -101, `${h.clock_off_s}`);
});

test('a leap is noticed, and a clock so far ahead that its readings are refused is still measured', async () => {
  const before = await health();
  const r = await send(3600);
  assert.equal(r.json.accepted, 0);
  assert.equal(r.json.rejected[0].reason, 'time');
  const h = await health();
  assert.equal(h.clock, 'bad');
  assert.ok(Math.abs(h.clock_off_s + 3600) < 30, `${h.clock_off_s}`);
  assert.equal(h.clock_leaps, before.clock_leaps + 1);
  assert.ok(h.clock_leap_s > 3000, 'forward');
  assert.equal(h.rejects.time, 1);
  assert.equal(h.last_reject.text, 'CK-A');
});

test('limits are the device’s own, and what the type gives to new ones', async () => {
  await push('CLOCK-GW', gw.key, [{ point: 'CK-GW', time: new Date(Date.now() - 45e3).toISOString(), value: 1 }]);
  assert.equal((await health('CLOCK-GW')).clock, 'ok', 'within 60 s');
  const rec = await d.bureau.ok_get(`/api/v1/records/device/${gw.device.id}`);
  await d.bureau.ok_patch(`/api/v1/records/device/${gw.device.id}`, { version: rec.version, clock_warn_s: 30 });
  await until('the new limit', async () => (await health('CLOCK-GW')).clock === 'warn');
});

test('the gateway’s own time is kept apart from the time of its readings', async () => {
  const local = (ms) => new Date(ms + 8 * 3600e3).toISOString().slice(0, 19).replace('T', ' ');
  // readings of two hours ago, re-sent by a gateway whose clock is right
  const body = { dataId: '1', collectTime: local(Date.now()), reportType: 'continues', isConnectDataSource: true, dataType: '04',
    datas: [{ pointCode: 'CK-GW', pointValue: 5, dataTime: local(Date.now() - 7200e3) }] };
  assert.equal((await push('CLOCK-GW', gw.key, body)).json.accepted, 1);
  const h = await health('CLOCK-GW');
  assert.ok(h.lag_s > 7000, `late by ${h.lag_s}`);
  assert.ok(h.clock_off_s < 60, `but the clock is right: ${h.clock_off_s}`);
});

test('HJ 212: QN is the clock of the device, DataTime that of the sample', async () => {
  const hj = await makeDevice(s, { code: 'CLOCKHJ0000000000000001', protocol: 'hj212', key: '123456', points: [{ code: 'CK-HJ', kind: 'temperature', unit: '℃', address: 'a01001' }] });
  const local = (ms) => new Date(ms + 8 * 3600e3).toISOString().replace(/\D/g, '').slice(0, 17);
  const seg = `QN=${local(Date.now() - 90e3)};ST=22;CN=2011;PW=123456;MN=CLOCKHJ0000000000000001;Flag=4;CP=&&DataTime=${local(Date.now() - 1200e3).slice(0, 14)};a01001-Rtd=12.5,a01001-Flag=N&&`;
  let crc = 0xffff;
  for (const b of Buffer.from(seg)) {
    crc = (crc >> 8) ^ b;
    for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  const sock = connect(s.hj212, '127.0.0.1');
  sock.write(`##${String(seg.length).padStart(4, '0')}${seg}${crc.toString(16).toUpperCase().padStart(4, '0')}\r\n`);
  await until('the reading', async () => (await health(hj.device.code)).readings === 1);
  const h = await health(hj.device.code);
  sock.destroy();
  assert.ok(h.clock_off_s >= 90 && h.clock_off_s < 150, `${h.clock_off_s}`);
  assert.ok(h.lag_s >= 1200, `${h.lag_s}`);
});

test('2038 and 2100 are refused today as too far ahead, not mistaken for 1901 or 1970', async () => {
  for (const time of ['2038-01-19T03:14:08Z', '2038-01-19T11:14:08+08:00', 2147483648000, 4294967296000, '2106-02-07T06:28:16Z', '2100-03-01T00:00:00Z']) {
    const r = await push('CLOCK-GW', gw.key, [{ point: 'CK-GW', time, value: 1 }]);
    assert.deepEqual(r.json.rejected.map((x) => x.reason), ['time'], String(time));
    const h = await health('CLOCK-GW');
    assert.equal(h.clock, 'bad');
    assert.ok(h.clock_off_s < -3e8, `${time}: ${h.clock_off_s} s`);
  }
});

test('completeness: a busy point does not hide a silent one; what is sent later counts where it belongs', { skip: !/asan/.test(process.env.ANLAN_BIN || '') && 'five minutes are two seconds in the test build only' }, async () => {
  const c = await makeDevice(s, { code: 'WHOLE-1', points: ['A', 'B'].map((p) => ({ code: `WH-${p}`, kind: 'temperature', unit: '℃', interval_s: 1 })) });
  const put = (point, at, value) => push('WHOLE-1', c.key, [{ point, time: new Date(at).toISOString(), value }]);
  const start = Date.now();
  const h = await until('five slots', async () => {
    await put('WH-A', Date.now(), 1);
    await sleep(150);
    const now = await health('WHOLE-1');
    return now.hour.expected >= 16 && now;
  }, 60000);
  // a slot of two seconds: due are two readings of each point, of the busy one at most one more counts; the first slot may be a part of one
  assert.ok(h.hour.received > 0 && h.hour.received <= 3 * Math.ceil(h.hour.expected / 4), `half of it is missing: ${JSON.stringify(h.hour)}`);
  assert.ok(h.hour.online > 0, 'it is there');
  const end = Date.now();
  for (let at = start; at < end; at += 1000) await put('WH-B', at, 2);
  await until('what was sent later', async () => (await health('WHOLE-1')).day.received > h.day.received + 3);
  const all = await d.bureau.ok_get('/api/v1/devices/health');
  const ent = all.enterprises.find((e) => e.enterprise === c.enterprise.id);
  assert.ok(ent.devices >= 3 && ent.hour.expected >= h.hour.expected);
  assert.equal(all.areas.reduce((n, a) => n + a.devices, 0), all.total.devices);
  assert.equal(all.enterprises.reduce((n, a) => n + a.online, 0), all.total.online);
});

// Prometheus text exposition format 0.0.4.
function exposition(text) {
  const families = new Map();
  let now = null;
  for (const line of text.split('\n').slice(0, -1)) {
    let m;
    if ((m = /^# HELP ([a-zA-Z_:][\w:]*) (.+)$/.exec(line))) {
      assert.ok(!families.has(m[1]), `${m[1]} twice`);
      families.set(m[1], now = { name: m[1], samples: [] });
    } else if ((m = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram)$/.exec(line))) {
      assert.equal(m[1], now.name, 'TYPE follows its HELP');
      assert.equal(now.samples.length, 0);
      now.type = m[2];
    } else {
      m = /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="[^"\\\n]*",?)+)\})? (-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf|NaN))$/.exec(line);
      assert.ok(m, `not a sample: ${line}`);
      const own = now.type === 'histogram' ? [`${now.name}_bucket`, `${now.name}_sum`, `${now.name}_count`] : [now.name];
      assert.ok(own.includes(m[1]), `${m[1]} under ${now.name}`);
      now.samples.push({ name: m[1], labels: m[2] || '', value: Number(m[3]) });
    }
  }
  for (const f of families.values()) {
    assert.ok(f.type && f.samples.length, f.name);
    assert.equal(new Set(f.samples.map((x) => x.name + x.labels)).size, f.samples.length, `${f.name}: the same sample twice`);
    if (f.type === 'counter') assert.match(f.name, /_total$/);
    if (f.type !== 'histogram') continue;
    const buckets = f.samples.filter((x) => x.name.endsWith('_bucket'));
    buckets.reduce((a, b) => (assert.ok(b.value >= a.value, `${f.name} is not cumulative`), b));
    assert.match(buckets[buckets.length - 1].labels, /le="\+Inf"/);
    assert.equal(buckets[buckets.length - 1].value, f.samples.find((x) => x.name.endsWith('_count')).value);
  }
  return families;
}

test('metrics are valid, and say what happened', async () => {
  const get = async () => exposition(await (await fetch(`${s.url}/metrics`)).text());
  const m = await get();
  const value = (name, labels = '') => m.get(name).samples.find((x) => x.labels === labels || x.name.endsWith(labels)).value;
  for (const name of ['anlan_readings_total', 'anlan_rejects_total', 'anlan_reading_lag_seconds', 'anlan_devices_drift', 'anlan_devices_clock', 'anlan_ring_to_core_fill_ratio',
    'anlan_ring_wait_seconds', 'anlan_series_sync_seconds', 'anlan_series_sync_bytes', 'anlan_alarm_seconds', 'anlan_gate_back_pressure_seconds_total', 'anlan_queue_length',
    'anlan_store_wait_seconds', 'anlan_gate_connections'])
    assert.ok(m.has(name), name);
  assert.ok(value('anlan_rejects_total', 'reason="time"') >= 7);
  assert.ok(value('anlan_series_sync_seconds', '_count') > 0);
  assert.ok(value('anlan_store_wait_seconds', '_count') > 0);
  assert.ok(value('anlan_reading_lag_seconds', '_count') > 0);
  await until('the gate to report', async () => (await get()).get('anlan_gate_accepted_total').samples[0].value > 0);
});
