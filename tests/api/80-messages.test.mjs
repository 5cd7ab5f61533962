// Messages that leave the platform, against a real mail server and a real HTTP receiver in this process.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { root, Server, sleep, until } from '../lib/server.mjs';

// ---- sinks ---------------------------------------------------------------------------------------
function smtpSink() {
  const mails = [];
  const server = createServer((sock) => {
    let data = null, rest = '', mail = { to: [] };
    sock.on('error', () => {});
    sock.write('220 sink ESMTP\r\n');
    sock.on('data', (d) => {
      rest += d;
      for (let at; (at = rest.indexOf('\r\n')) >= 0;) {
        const line = rest.slice(0, at);
        rest = rest.slice(at + 2);
        if (data !== null) {
          if (line === '.') {
            const [head, body] = data.split(/\r\n\r\n/);
            const subject = head.match(/Subject: ((?:.|\r\n )*)/)[1].replace(/\r\n /g, '').replace(/=\?UTF-8\?B\?([^?]*)\?=/g, (_, b) => `${b}|`)
              .split('|').map((b) => Buffer.from(b, 'base64').toString()).join('');
            mails.push({ ...mail, id: /Message-ID: <([^@]+)@/.exec(head)[1], head, subject, text: Buffer.from(body, 'base64').toString() });
            data = null;
            mail = { to: [] };
            sock.write('250 queued\r\n');
          } else data += `${line}\r\n`;
        } else if (/^EHLO/i.test(line)) sock.write('250-sink\r\n250 8BITMIME\r\n');
        else if (/^MAIL FROM/i.test(line)) { mail.from = line; sock.write('250 ok\r\n'); }
        else if (/^RCPT TO/i.test(line)) {
          if (/nobody@/.test(line)) sock.write('550 no such mailbox\r\n');
          else { mail.to.push(/<(.*)>/.exec(line)[1]); sock.write('250 ok\r\n'); }
        } else if (/^DATA/i.test(line)) { data = ''; sock.write('354 go on\r\n'); }
        else if (/^QUIT/i.test(line)) sock.end('221 bye\r\n');
        else sock.write('250 ok\r\n');
      }
    });
  });
  return new Promise((ok) => server.listen(0, '127.0.0.1', () => ok({ mails, port: server.address().port, close: () => server.close() })));
}

function httpSink() {
  const sink = { got: [], fail: 0, status: 503, answer: (b) => ({ errcode: 0, id: `gw-${b.id ?? ''}` }), delay: 0 };
  const server = createHttp((req, res) => {
    let body = '';
    req.on('data', (d) => { body += d; });
    req.on('end', async () => {
      if (sink.delay) await sleep(sink.delay);
      if (sink.fail > 0) {
        sink.fail--;
        res.writeHead(sink.status).end('{}');
        return;
      }
      const json = JSON.parse(body);
      sink.got.push({ path: req.url, headers: req.headers, body, json, at: Date.now() });
      res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(sink.answer(json)));
    });
  });
  return new Promise((ok) => server.listen(0, '127.0.0.1', () => ok(Object.assign(sink, { port: server.address().port, close: () => { server.closeAllConnections?.(); server.close(); } }))));
}

let s, admin, bureau, town, mail, http, enterprise, townId;
const county = '990121000000';

async function makeChannel(body, secret) {
  const c = await admin.ok_post('/api/v1/records/channel', { area: county, enabled: true, merge_s: 2, retry_s: 1, tries: 4, ...body });
  if (secret) await admin.ok_post(`/api/v1/notify/secrets/channel/${c.id}`, { secret });
  return c;
}
const edit = async (type, id, body) => {
  const r = await admin.ok_get(`/api/v1/records/${type}/${id}`);
  return admin.ok_patch(`/api/v1/records/${type}/${id}`, { ...body, version: r.version });
};
const hazard = (title, more = {}) => bureau.ok_post('/api/v1/records/hazard', { title, enterprise, level: 'general', ...more });
const log = async (q = '') => (await admin.ok_get(`/api/v1/notify/log?size=500${q}`)).items;

before(async () => {
  s = await Server.start();
  [mail, http] = await Promise.all([smtpSink(), httpSink()]);
  admin = await s.as('admin');
  bureau = await s.as('bureau');
  town = await s.as('town');
  townId = town.me.id;
  enterprise = (await town.ok_get('/api/v1/records/enterprise?size=1&sort=id')).items[0].id;
});
after(async () => { mail.close(); http.close(); await s.stop(); });

let mailChannel, sms, hook;

test('a notice goes out by mail, in the language of the person', async () => {
  mailChannel = await makeChannel({ name: '邮件', kind: 'mail', url: `smtp://127.0.0.1:${mail.port}`, sender: 'anlan@county.example', tls: 'none' });
  await edit('person', townId, { mail: 'town@county.example', ways: ['mail'] });
  const h = await hazard('配电箱未上锁');
  const got = await until('the mail', () => mail.mails.find((m) => m.text.includes(h.number)));
  assert.deepEqual(got.to, ['town@county.example']);
  assert.match(got.subject, /隐患/);
  assert.match(got.head, /^Date: \w{3}, \d+ \w{3} 2\d{3} .* \+0800\r$/m);
  const entry = await until('the log', async () => (await log('&state=sent')).find((m) => m.record === h.id));
  assert.equal(entry.message, got.id);
  assert.equal(entry.tries, 1);
});

test('a mailbox that does not exist is not tried again', async () => {
  await edit('person', townId, { mail: 'nobody@county.example' });
  const h = await hazard('通道堵塞');
  const entry = await until('the failure', async () => (await log('&state=failed')).find((m) => m.record === h.id));
  assert.equal(entry.tries, 1);
  assert.match(entry.error, /550/);
  await edit('person', townId, { mail: 'town@county.example' });
});

test('a gateway is tried again after failures, signed, with the same id; its receipt and later report are kept', async () => {
  const secret = 'a long secret of the gateway';
  sms = await makeChannel({ name: '短信', kind: 'sms', url: `http://127.0.0.1:${http.port}/sms`, template: '{"m":"{to}","c":"{text}","id":"{id}","k":{"n":{count}}}', success: 'errcode=0' }, secret);
  await edit('person', townId, { phone: '13800001234', ways: ['sms'] });
  http.fail = 2;
  const h = await hazard('说 "安全" 出口\\被占');
  const got = await until('the message', () => http.got.find((g) => g.path === '/sms' && g.json.c.includes(h.number)));
  assert.equal(got.json.m, '13800001234');
  assert.equal(got.json.k.n, 1);
  assert.equal(got.headers['x-anlan-signature'], `sha256=${createHmac('sha256', secret).update(`${got.headers['x-anlan-time']}.${got.body}`).digest('hex')}`);
  assert.equal(got.headers['x-anlan-message'], got.json.id);
  const entry = await until('the log', async () => (await log('&state=sent')).find((m) => m.record === h.id));
  assert.equal(entry.tries, 3);
  assert.equal(entry.receipt, `gw-${got.json.id}`);
  const wrong = await s.call('POST', '/api/v1/notify/receipt', { channel: sms.id, secret: 'guess', id: entry.receipt, state: 'delivered' });
  assert.equal(wrong.status, 403);
  const right = await s.call('POST', '/api/v1/notify/receipt', { channel: sms.id, secret, id: entry.receipt, state: 'delivered' });
  assert.equal(right.status, 200);
  assert.equal((await log('&state=confirmed')).find((m) => m.record === h.id).message, entry.message);
});

test('an answer that says no is a failure even with status 200', async () => {
  const was = http.answer;
  http.answer = () => ({ errcode: 40001 });
  const m = await admin.ok_post(`/api/v1/notify/test/${sms.id}`, { to: '13900000000' });
  const entry = await until('a failed try', async () => (await log()).find((x) => x.id === m.id && x.tries >= 1 && x.error));
  assert.equal(entry.error, 'errcode=40001');
  http.answer = was;
  await until('the retry', async () => (await log('&state=sent')).find((x) => x.id === m.id));
});

test('a storm of 1,000 notices becomes a few digests that name every one', async () => {
  await edit('person', townId, { ways: ['mail'] });
  const begun = mail.mails.length, from = Date.now();
  const made = [];
  for (let i = 0; i < 50; i++)
    made.push(...await Promise.all(Array.from({ length: 20 }, (_, k) => hazard(`风暴 ${i * 20 + k}`))));
  const done = async () => {
    const items = (await log()).filter((m) => m.channel.type === 'channel' && m.state === 'sent' && m.created_at >= made[0].created_at);
    return items.reduce((n, m) => n + m.count, 0) >= 1000;
  };
  await until('all of them', done);
  const digests = mail.mails.slice(begun);
  const windows = (Date.now() - from) / 2000; // of merging; a slow machine takes more of them to make 1,000 records
  assert.ok(digests.length <= 5 + 2 * windows, `${digests.length} mails for 1,000 notices in ${windows} windows`);
  assert.ok(digests.length < 500, `${digests.length} mails for 1,000 notices`);
  assert.ok(digests.some((m) => /\d+ 条消息/.test(m.subject)));
});

test('quiet hours hold back what can wait and nothing else', async () => {
  const at = (min) => new Date(Date.now() + 8 * 3600e3 + min * 60e3).toISOString().slice(11, 16);
  await sleep(2100); // the window of merging of the test before
  await edit('person', townId, { quiet_from: at(-60), quiet_to: at(60) });
  const calm = await hazard('可以等到天亮');
  const waiting = await until('the message', async () => (await log('&state=waiting')).find((m) => m.record === calm.id));
  const hours = (new Date(waiting.next_at) - Date.now()) / 3600e3;
  assert.ok(hours > 0.9 && hours <= 1.02, `waits ${hours} h`);
  const red = await hazard('重大隐患不等', { level: 'major' });
  await until('the red one', () => mail.mails.find((m) => m.text.includes(red.number)));
  assert.ok(!mail.mails.some((m) => m.text.includes(calm.number)));
  await edit('person', townId, { quiet_from: '', quiet_to: '', ways: [] });
});

test('webhooks tell what happened to records, in order for each, without any of their fields', async () => {
  const secret = 'secret of the other system';
  hook = await admin.ok_post('/api/v1/records/webhook', { name: '城市平台', url: `http://127.0.0.1:${http.port}/hook`, types: 'hazard', events: ['created', 'updated', 'moved', 'retired'], retry_s: 1, enabled: true });
  await admin.ok_post(`/api/v1/notify/secrets/webhook/${hook.id}`, { secret });
  http.fail = 3; // the first deliveries fail: order must hold
  const h = await hazard('推送的隐患', { content: '不外传的内容' });
  const edited = await bureau.ok_patch(`/api/v1/records/hazard/${h.id}`, { place: '二车间', version: h.version });
  await bureau.ok_post(`/api/v1/records/hazard/${h.id}/moves/assign`, { requirement: '立即整改', version: edited.version });
  const mine = () => http.got.filter((g) => g.path === '/hook' && g.json.record === h.id);
  await until('three events', () => mine().length === 3);
  assert.deepEqual(mine().map((g) => g.json.event), ['created', 'updated', 'moved']);
  assert.equal(mine()[2].json.move, 'assign');
  assert.equal(mine()[2].json.state, 'assigned');
  for (const g of mine()) {
    assert.equal(g.headers['x-anlan-signature'], `sha256=${createHmac('sha256', secret).update(`${g.headers['x-anlan-time']}.${g.body}`).digest('hex')}`);
    assert.ok(!/不外传|二车间|推送的隐患/.test(g.body), g.body);
  }
});

test('what leads to a link-local or other address that is nobody\'s is not asked, whatever it is called', async () => {
  for (const url of ['http://169.254.169.254/latest/meta-data/', 'http://[::ffff:169.254.169.254]/', 'http://2852039166/', 'http://[fe80::1]/', 'http://224.0.0.1/', 'http://0.0.0.0:1/', 'http://[::]:1/']) {
    const w = await admin.ok_post('/api/v1/records/webhook', { name: url, url, types: 'hazard', events: ['retired'], retry_s: 1, enabled: true });
    const m = await admin.ok_post(`/api/v1/notify/test/${w.id}`, { webhook: true });
    const end = await until(`the end of ${url}`, async () => (await log()).find((x) => x.message === m.message && x.state === 'failed'));
    assert.match(end.error, /link-local, multicast or none/, url);
    await edit('webhook', w.id, { enabled: false });
  }
});

test('a kill in the middle loses nothing; what is repeated has the same id', async () => {
  http.delay = 300;
  const begun = http.got.length;
  const made = await Promise.all(Array.from({ length: 20 }, (_, i) => hazard(`断电 ${i}`)));
  await until('some of them', () => http.got.length > begun + 2);
  await s.kill();
  http.delay = 0;
  await s.spawn();
  await until('all of them', () => made.every((h) => http.got.some((g) => g.json.record === h.id && g.json.event === 'created')));
  await sleep(1500);
  for (const h of made) {
    const ids = new Set(http.got.filter((g) => g.json.record === h.id && g.json.event === 'created').map((g) => g.json.id));
    assert.equal(ids.size, 1, `record ${h.id} was told as ${ids.size} different messages`);
  }
});

test('a dead channel is told to the administrator once', async () => {
  admin = await s.as('admin');
  const dead = await makeChannel({ name: '断线的网关', kind: 'wecom', url: 'http://127.0.0.1:9/none', tries: 3 });
  for (let i = 0; i < 3; i++) await admin.ok_post(`/api/v1/notify/test/${dead.id}`, { to: 'someone' });
  await until('three failures', async () => (await log(`&state=failed&channel=${dead.id}`)).filter((x) => x.channel.type === 'channel').length === 3) // a webhook may have the same id;
  const told = async () => (await admin.ok_get('/api/v1/notices?size=100')).items.filter((n) => JSON.stringify(n).includes('断线的网关')).length;
  await until('the administrator to be told', told);
  assert.equal(await told(), 1);
  const state = (await admin.ok_get('/api/v1/notify/log')).channels.find((c) => c.id === dead.id && c.type === 'channel');
  assert.ok(state.failures >= 9 && state.last_error.length > 0);
});

test('what a channel gives up goes out by the one that stands in for it, once, and not by a third', async () => {
  await edit('channel', sms.id, { fallback: mailChannel.id }); // what came by fall-back is not handed on
  const broken = (await admin.ok_get('/api/v1/records/channel?where.name=断线的网关')).items[0];
  await edit('channel', broken.id, { tries: 1, fallback: sms.id });
  await edit('person', townId, { wecom: 'town-wecom', phone: '13900000549', ways: ['wecom'] });
  const h = await hazard('护栏松动');
  const came = await until('the text message', () => http.got.find((g) => g.path === '/sms' && g.json.c.includes(h.number)));
  assert.equal(came.json.m, '13900000549');
  const mine = await until('the log', async () => { // the outcome is noted after the gateway has it
    const v = (await log()).filter((m) => m.record === h.id && m.person.id === townId);
    return v.every((m) => ['sent', 'failed'].includes(m.state)) ? v : null;
  });
  assert.deepEqual(mine.map((m) => [m.state, m.channel.id]).sort(), [['failed', broken.id], ['sent', sms.id]].sort());
  await edit('channel', broken.id, { enabled: false });
  await edit('person', townId, { ways: ['mail'] });
  await edit('channel', sms.id, { fallback: null });
});

test('no interface gives a secret back, and only the administrator reads the log', async () => {
  const all = JSON.stringify([await admin.ok_get(`/api/v1/records/channel/${sms.id}`), await admin.ok_get('/api/v1/notify/log'), await admin.ok_get(`/api/v1/records/channel/${sms.id}/history`)]);
  assert.ok(!all.includes('a long secret'));
  bureau = await s.as('bureau');
  assert.equal((await bureau.get('/api/v1/notify/log')).status, 403);
  assert.equal((await bureau.post(`/api/v1/notify/test/${sms.id}`, { to: '1' })).status, 403);
});

// ---- secrets at rest ------------------------------------------------------------------------------
const inFiles = (word) => readdirSync(s.dir).filter((f) => f.startsWith('anlan.db') && readFileSync(join(s.dir, f)).includes(word));
const stopped = async (between) => {
  s.child.kill('SIGTERM');
  await s.exited;
  await between();
  await s.spawn();
  admin = await s.as('admin');
};
const signed = (g, secret) => g.headers['x-anlan-signature'] === `sha256=${createHmac('sha256', secret).update(`${g.headers['x-anlan-time']}.${g.body}`).digest('hex')}`;
const sent = async (secret) => {
  const begun = http.got.length;
  await admin.ok_post(`/api/v1/notify/test/${sms.id}`, { to: '13800001234' });
  const got = await until('the test message', () => http.got.slice(begun).find((g) => g.path === '/sms'));
  assert.ok(signed(got, secret));
};

test('a secret is not in the files of the database: not a new one, and not one that an older version left there in the clear', async () => {
  assert.deepEqual(inFiles('a long secret of the gateway'), []);
  await stopped(() => execFileSync('sqlite3', [join(s.dir, 'anlan.db'), `UPDATE notify_secret SET secret = 'left in the clear' WHERE via = 'channel' AND channel = ${sms.id}`]));
  assert.deepEqual(inFiles('left in the clear'), []);
  assert.equal(execFileSync('sqlite3', ['-readonly', join(s.dir, 'anlan.db'), `SELECT count(*) FROM notify_secret WHERE typeof(secret) <> 'blob'`], { encoding: 'utf8' }).trim(), '0');
  await sent('left in the clear');
});

test('under another key nothing is sent unsigned; with the old one back it goes on', async () => {
  const key = readFileSync(join(s.dir, 'secret.key'));
  await stopped(() => writeFileSync(join(s.dir, 'secret.key'), Buffer.alloc(32, 7)));
  assert.match(s.out, /sealed under another secret\.key/);
  const begun = http.got.length;
  const t = await admin.ok_post(`/api/v1/notify/test/${sms.id}`, { to: '13800001234' });
  await until('the failure', async () => (await log(`&channel=${sms.id}`)).find((m) => m.id === t.id && /set it anew/.test(m.error)));
  assert.equal(http.got.slice(begun).filter((g) => g.path === '/sms').length, 0);
  await stopped(() => writeFileSync(join(s.dir, 'secret.key'), key));
  await sent('left in the clear');
});

test('the key is not in a backup, and backup and restore say so', async () => {
  const anlan = (...args) => execFileSync(process.env.ANLAN_BIN || join(root, 'build', 'anlan'), args, { encoding: 'utf8', env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' } });
  const file = join(s.dir, 'b.zip'), back = join(s.dir, 'back');
  assert.match(anlan('backup', file, '--data', s.dir), /secret\.key/);
  assert.match(anlan('restore', file, '--data', back), /secret\.key/);
  assert.ok(readdirSync(back).includes('anlan.db') && !readdirSync(back).includes('secret.key'));
  const key = readFileSync(join(s.dir, 'secret.key'));
  for (const f of [file, join(back, 'anlan.db')]) for (const word of [key, 'left in the clear']) assert.ok(!readFileSync(f).includes(word), f);
});
