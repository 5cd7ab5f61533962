// Where people are and what cameras saw, as kinds of readings of their own: by the shipped templates over HTTP, each with its alarm;
// who carries a tag is a personal datum.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeDevice, Server, until } from '../lib/server.mjs';

let s, people, video, duty;
before(async () => {
  s = await Server.start();
  duty = await s.as('duty');
  people = await makeDevice(s, {
    code: 'PEOPLE-1', protocol: 'http', template: 'people_positions', points: [
      { code: 'T017-LON', kind: 'longitude', unit: '°', address: 'T017.longitude' }, { code: 'T017-LAT', kind: 'latitude', unit: '°', address: 'T017.latitude' },
      { code: 'T017-ZONE', kind: 'person_zone', address: 'T017.zone' }, { code: 'T017-SOS', kind: 'person_alarm', address: 'T017.alarm' },
      { code: 'Z3-N', kind: 'headcount', unit: '人', h: 9, address: 'Z3.count' }, { code: 'Z9-N', kind: 'restricted_headcount', unit: '人', address: 'Z9.count' },
    ],
  });
  video = await makeDevice(s, { code: 'VIDEO-1', protocol: 'http', template: 'video_events', points: ['fire', 'no_helmet', 'off_post'].map((e) => ({ code: `C12-${e}`, kind: `video_${e}`, interval_s: 86400, address: `C12.${e}` })) });
});
after(() => s.stop());

const post = async (d, code, body) => {
  const r = await s.call('POST', '/api/v1/readings', body, { headers: { Authorization: `Device ${code}:${d.key}` } });
  assert.equal(r.status, 200, r.text);
  return r.json;
};
const iso = (t) => new Date(t).toISOString();
const alarm = (point, fits = () => true) => until(`an alarm of ${point}`, async () => (await duty.ok_get(`/api/v1/alarms?state=all&point=${point}`)).items.find(fits));
const alarms = async (point) => (await duty.ok_get(`/api/v1/alarms?state=all&point=${point}`)).items;

test('positions of people become readings: place, zone, and the count of a zone', async () => {
  const t = Math.floor(Date.now() / 1000) * 1000 - 300e3;
  const r = await post(people, 'PEOPLE-1', { time: iso(t), tags: [{ tag: 'T017', longitude: 111.9822, latitude: 21.8583, zone: 3, alarm: false }], zones: [{ zone: 'Z3', count: 4 }, { zone: 'Z9', count: 0 }] });
  assert.deepEqual([r.accepted, r.rejected.length], [6, 0]);
  const last = (await people.bureau.ok_get('/api/v1/points?points=T017-LON,T017-LAT,T017-ZONE,Z3-N')).items;
  assert.deepEqual(last.map((x) => x.value), [111.9822, 21.8583, 3, 4]);
  const odd = await post(people, 'PEOPLE-1', { time: iso(t + 1000), tags: [{ tag: 'T018', longitude: 1, latitude: 1 }] });
  assert.ok(odd.rejected.every((x) => x.reason === 'unknown_point' && /^T018\./.test(x.point)), 'a tag nobody registered is refused by name');
});

test('somebody in a restricted area, a call for help, too many in a zone: each is an alarm', async () => {
  const t = Math.floor(Date.now() / 1000) * 1000 - 120e3;
  for (let i = 0; i < 9; i++) await post(people, 'PEOPLE-1', { time: iso(t + i * 10e3), zones: [{ zone: 'Z9', count: 1 }, { zone: 'Z3', count: 12 }] });
  await post(people, 'PEOPLE-1', { time: iso(t + 90e3), tags: [{ tag: 'T017', alarm: true }] });
  assert.equal((await alarm('Z9-N')).level, 'hh');
  assert.equal((await alarm('Z3-N')).level, 'h');
  const sos = await alarm('T017-SOS');
  assert.ok(sos.active && sos.guide.zh, JSON.stringify(sos));
  await until('the warning that a call for help opens', async () => (await alarms('T017-SOS'))[0].opened).catch(() => { throw new Error(JSON.stringify(sos)); });
  await post(people, 'PEOPLE-1', { time: iso(t + 100e3), tags: [{ tag: 'T017', alarm: false }] });
  await alarm('T017-SOS', (a) => !a.active);
});

test('an event on video is an alarm that has returned and waits to be seen; the next one is another', async () => {
  const t = Math.floor(Date.now() / 1000) * 1000 - 30e3;
  const seen = (event, at) => ({ camera: 'C12', event, time: iso(at) });
  const r = await post(video, 'VIDEO-1', { events: [seen('fire', t), seen('no_helmet', t + 1000), seen('off_post', t + 2000), seen('dog', t)] });
  assert.equal(r.accepted, 6);
  assert.deepEqual([...new Set(r.rejected.map((x) => x.point))], ['C12.dog']);
  for (const [point, level] of [['C12-fire', 'hh'], ['C12-no_helmet', 'h'], ['C12-off_post', 'h']]) {
    const a = await alarm(point, (x) => !x.active);
    assert.deepEqual([a.level, a.state], [level, 'rtn_unack'], point);
  }
  await post(video, 'VIDEO-1', { events: [seen('no_helmet', t), seen('no_helmet', t + 1000)] });
  assert.equal((await alarms('C12-no_helmet')).length, 1, 'the same event again changes nothing');
});

test('who carries a tag is masked but for those on duty', async () => {
  const tag = await people.bureau.ok_post('/api/v1/records/position_tag', { code: 'T017', enterprise: people.enterprise.id, device: people.device.id, holder: '张定位', phone: '13800138000' });
  const masked = JSON.stringify((await people.bureau.ok_get('/api/v1/records/position_tag')).items);
  assert.ok(!masked.includes('张定位') && !masked.includes('13800138000') && masked.includes('T017'), masked);
  assert.ok(!(await people.bureau.get(`/api/v1/records/position_tag/${tag.id}`)).text.includes('张定位'));
  assert.ok((await duty.get(`/api/v1/records/position_tag/${tag.id}`)).text.includes('张定位'), 'who is on duty must be able to call');
});
