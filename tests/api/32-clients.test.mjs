// Independent clients, unmodified: MQTT.js and Mosquitto's, in both versions of the protocol, with QoS 0 to 2, a will,
// a retained message, the command topic, and what is not allowed.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import mqtt from 'mqtt';
import { makeDevice, Server, until } from '../lib/server.mjs';

const run = promisify(execFile);
let s, d;
before(async () => {
  s = await Server.start();
  d = await makeDevice(s, { code: 'JS-GW', points: [{ code: 'JS-P', kind: 'temperature', unit: '℃' }] });
});
after(() => s.stop());

const readings = 'anlan/v1/JS-GW/readings', command = 'anlan/v1/JS-GW/command';
const rows = async (from) => (await d.bureau.ok_get(`/api/v1/points/JS-P/series?from=${encodeURIComponent(new Date(from - 1).toISOString())}&max=1000`)).items;
const message = (at, value) => JSON.stringify([{ point: 'JS-P', time: new Date(at).toISOString(), value }]);
const client = (version, more = {}) => mqtt.connect(`mqtt://127.0.0.1:${s.mqtt}`, { protocolVersion: version, username: 'JS-GW', password: d.key, clientId: `js-${version}`,
  reconnectPeriod: 0, ...(version === 4 ? {} : { properties: { receiveMaximum: 10 } }), ...more });
const connected = (c) => new Promise((ok, bad) => { c.once('connect', ok); c.once('error', bad); });
const ended = (c) => new Promise((ok) => c.end(false, {}, ok));
const published = (c, topic, text, opt) => new Promise((ok, bad) => c.publish(topic, text, opt, (e, p) => (e ? bad(e) : ok(p))));

for (const version of [4, 5]) {
  test(`MQTT.js, protocol ${version}: a will, each QoS, a retained message`, async () => {
    const c = client(version, { will: { topic: readings, payload: 'gone', qos: 2, retain: true }, keepalive: 5, clean: false });
    await connected(c);
    const at = Date.now() - 100e3 * version;
    await published(c, readings, message(at, 1), { qos: 1 });
    assert.deepEqual((await rows(at)).slice(0, 1).map((r) => r[1]), [1], 'acknowledged: it is there');
    await published(c, readings, message(at + 1000, 2), { qos: 0 });
    await published(c, readings, message(at + 2000, 3), { qos: 1, retain: true });
    await published(c, readings, message(at + 2000, 3), { qos: 1, dup: true });
    await Promise.all([published(c, readings, message(at + 3000, 4), { qos: 2 }), published(c, readings, message(at + 4000, 5), { qos: 2 })]);
    assert.deepEqual((await rows(at)).filter(([t]) => Date.parse(t) <= at + 4000).map((r) => r[1]), [1, 2, 3, 4, 5], 'a message sent again changes nothing');
    c.stream.destroy(); // the will is due now; nobody may see it, and it is no reading
    await until('the device to be away', async () => !(await d.bureau.ok_get('/api/v1/devices/health')).items.find((x) => x.code === 'JS-GW').online);
    c.end(true);
  });

  test(`MQTT.js, protocol ${version}: commands, with QoS 0 and 1, and other topics refused`, async () => {
    const c = client(version);
    await connected(c);
    const own = version === 4 ? command : 'anlan/v1/JS-GW/#'; // all that is its own is that topic
    const granted = await new Promise((ok) => c.subscribe({ [own]: { qos: 1 }, '#': { qos: 0 }, 'anlan/v1/+/command': { qos: 0 } }, (e, g) => ok(g)));
    assert.equal(granted.find((g) => g.topic === own).qos, 1);
    assert.ok(granted.find((g) => g.topic.includes('+')).qos >= 0x80);
    assert.ok(granted.find((g) => g.topic === '#').qos >= 0x80, 'nobody listens to others');
    const got = [];
    c.on('message', (topic, payload, p) => got.push({ topic, text: payload.toString(), qos: p.qos }));
    const r = await d.bureau.ok_post(`/api/v1/devices/${d.device.id}/command`, { payload: `set ${version}` });
    assert.equal(r.state, 'delivered', 'MQTT.js has acknowledged it');
    await until('the command', () => got.length);
    assert.deepEqual(got, [{ topic: command, text: `set ${version}`, qos: 1 }]);
    if (version === 5) {
      const refused = await published(c, 'anlan/v1/OTHER/readings', message(Date.now(), 9), { qos: 1 }).then((p) => p, (e) => e);
      assert.ok(c.connected, `5.0 has an answer for it: ${refused}`);
    }
    await new Promise((ok) => c.unsubscribe(own, ok));
    await ended(c);
  });

  test(`mosquitto_pub, protocol ${version}: QoS 0 and 2 with a will and retain, and a session of its own`, async () => {
    const at = Date.now() - 100e3 * version - 50e3;
    const v = version === 4 ? 'mqttv311' : 'mqttv5';
    await run('mosquitto_pub', ['-V', v, '-h', '127.0.0.1', '-p', String(s.mqtt), '-i', 'mos', '-u', 'JS-GW', '-P', d.key, '-q', '0', '-r', '-c',
      '--will-topic', readings, '--will-payload', 'bye', '--will-qos', '1', '-t', readings, '-m', message(at, 7), ...(version === 5 ? ['-x', '60'] : [])]);
    await until('the reading', async () => (await rows(at))[0]?.[1] === 7);
    await run('mosquitto_pub', ['-V', v, '-h', '127.0.0.1', '-p', String(s.mqtt), '-u', 'JS-GW', '-P', d.key, '-q', '2', '-k', '65535', '-t', readings, '-m', message(at + 1000, 8)]);
    assert.deepEqual((await rows(at)).slice(0, 2).map((r) => r[1]), [7, 8], 'released in two steps: it is there');
    if (version === 5) {
      await run('mosquitto_pub', ['-V', v, '-h', '127.0.0.1', '-p', String(s.mqtt), '-u', 'JS-GW', '-P', d.key, '-q', '1', '-t', readings, '-m', message(at + 2000, 9), '--repeat', '3', '-D', 'publish', 'topic-alias', '1']);
      assert.equal((await rows(at))[2][1], 9, 'a topic by its number');
    }
  });
}

test('wrong key, no name: MQTT.js is told why', async () => {
  for (const [version, more, code] of [[4, { password: 'wrong' }, 4], [5, { password: 'wrong' }, 134], [5, { username: 'nobody' }, 134]]) {
    const c = client(version, more);
    const e = await connected(c).then(() => null, (x) => x);
    assert.equal(e?.code, code, `${version} ${JSON.stringify(more)}: ${e}`);
    c.end(true);
  }
});
