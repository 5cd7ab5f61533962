// TLS: HTTPS and MQTTS with a certificate as openssl makes it; who does not trust it, or speaks plain, gets nowhere.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { connect } from 'node:tls';
import { freePorts, Server, until } from '../lib/server.mjs';

const run = promisify(execFile);
let s, dir, ca, mqtts, key, token;

function https(method, path, body, headers = {}, trust = ca) {
  return new Promise((ok, fail) => {
    const rq = request({ host: '127.0.0.1', port: s.http, path, method, ca: trust, headers: { 'Content-Type': 'application/json', ...headers } }, (rs) => {
      let text = '';
      rs.on('data', (d) => { text += d; });
      rs.on('end', () => ok({ status: rs.statusCode, text, cookie: rs.headers['set-cookie']?.[0] ?? '', json: (() => { try { return JSON.parse(text); } catch { return null; } })() }));
    });
    rq.on('error', fail);
    rq.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
const api = async (method, path, body) => {
  const r = await https(method, path, body, token ? { Authorization: `Bearer ${token}` } : {});
  if (r.status >= 300) throw new Error(`${method} ${path}: ${r.status} ${r.text}`);
  return r.json;
};

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'anlan-tls-'));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1',
    '-keyout', join(dir, 'key.pem'), '-out', join(dir, 'cert.pem')], { stdio: 'pipe' });
  ca = readFileSync(join(dir, 'cert.pem'));
  [mqtts] = await freePorts(1);
  s = new Server();
  s.probe = async () => (await https('GET', '/healthz')).status === 200;
  await s.begin({ args: ['--mqtts', `127.0.0.1:${mqtts}`, '--cert', join(dir, 'cert.pem'), '--key', join(dir, 'key.pem')], copied: true });
  token = (await api('POST', '/api/v1/demo/login', { role: 'bureau' })).token;
  const ent = (await api('GET', '/api/v1/records/enterprise?size=1')).items[0];
  const device = await api('POST', '/api/v1/records/device', { code: 'TLS-GW', name: 'TLS', enterprise: ent.id, protocol: 'mqtt' });
  await api('POST', '/api/v1/records/point', { code: 'TLS-P', name: 'TLS', device: device.id, enterprise: ent.id, kind: 'temperature', unit: '℃', interval_s: 1 });
  ({ key } = await api('POST', `/api/v1/devices/${device.id}/key`, {}));
  await until('the point', async () => (await https('GET', '/api/v1/points/TLS-P', undefined, { Authorization: `Bearer ${token}` })).status === 200);
});
after(async () => { await s.stop(); rmSync(dir, { recursive: true, force: true }); });

const publish = (value, version, trust = ['--cafile', join(dir, 'cert.pem')]) =>
  run('mosquitto_pub', ['-V', version, '-h', '127.0.0.1', '-p', String(mqtts), ...trust, '-q', '1', '-u', 'TLS-GW', '-P', key, '-i', 'TLS-GW', '-t', 'anlan/v1/TLS-GW/readings',
    '-m', JSON.stringify([{ point: 'TLS-P', time: new Date().toISOString(), value }])]);

test('the session\'s cookie never goes out in clear', async () => {
  const { cookie } = await https('POST', '/api/v1/demo/login', { role: 'duty' });
  for (const word of ['Secure', 'HttpOnly', 'SameSite=Strict']) assert.ok(cookie.includes(word), cookie);
});

test('readings over MQTTS are history, read over HTTPS', async () => {
  for (const [value, version] of [[21.5, 'mqttv311'], [22.5, 'mqttv5']]) {
    await publish(value, version);
    assert.equal((await api('GET', '/api/v1/points/TLS-P')).value, value);
  }
});

test('a client that does not trust the certificate does not connect', async () => {
  await assert.rejects(https('GET', '/healthz', undefined, {}, []), /self.signed|unable to verify/i);
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=other', '-keyout', join(dir, 'k2.pem'), '-out', join(dir, 'c2.pem')], { stdio: 'pipe' });
  await assert.rejects(publish(1, 'mqttv311', ['--cafile', join(dir, 'c2.pem')]));
});

test('TLS 1.2 at least', async () => {
  for (const port of [s.http, mqtts]) {
    const protocol = await new Promise((ok, fail) => { const c = connect({ host: '127.0.0.1', port, ca }, () => { ok(c.getProtocol()); c.destroy(); }); c.on('error', fail); });
    assert.match(protocol, /^TLSv1\.[23]$/);
    await assert.rejects(new Promise((ok, fail) => {
      const c = connect({ host: '127.0.0.1', port, ca, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }, ok);
      c.on('error', fail);
    }));
  }
});

test('plain bytes at the TLS doors end the connection, and the server lives', async () => {
  await assert.rejects(fetch(`http://127.0.0.1:${s.http}/healthz`));
  await assert.rejects(run('mosquitto_pub', ['-h', '127.0.0.1', '-p', String(mqtts), '-q', '1', '-u', 'TLS-GW', '-P', key, '-t', 'anlan/v1/TLS-GW/readings', '-m', '[]']));
  await publish(23.5, 'mqttv311');
  assert.equal((await api('GET', '/api/v1/points/TLS-P')).value, 23.5);
});
