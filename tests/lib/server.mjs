// Starts a real server on free ports in an empty data folder, and speaks to it as a client would.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, constants, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { breach } from './contract.mjs';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const plain = join(root, 'build', 'anlan');
let binary = process.env.ANLAN_BIN || plain;
// For a file of tests with a hundred thousand questions about rights: the program without sanitizers, which look on in all the others.
export function withoutSanitizers() { binary = plain; }

export const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

// A wait that succeeds costs nothing: long enough for a loaded machine under sanitizers.
export async function until(what, fn, ms = 120000) {
  const end = Date.now() + ms;
  let last;
  for (;;) {
    try {
      last = await fn();
      if (last) return last;
    } catch (e) {
      if (e.fatal) throw e;
      last = e;
    }
    if (Date.now() > end) throw new Error(`timed out waiting for ${what}: ${last && last.stack ? last.stack : JSON.stringify(last)}`);
    await sleep(20);
  }
}

// Ports below those the system gives to outgoing connections, each test process its own stretch of them: nobody takes one
// between here and the server's start.
let nextPort = (process.pid * 61) % 20000;
export async function freePorts(n) {
  const free = [];
  while (free.length < n) {
    const port = 11000 + nextPort++ % 20000;
    const held = createServer();
    const ok = await new Promise((done) => { held.once('error', () => done(false)); held.listen(port, '127.0.0.1', () => done(true)); });
    if (!ok) continue;
    await new Promise((done) => held.close(done));
    free.push(port);
  }
  return free;
}

// The demo county takes longer to make than most tests to run: a first start makes it once, and each server that asks for nothing
// else, or for a copy, gets one. Its times are relative to its making, so one is used for a quarter of an hour of one day, as if the server had
// been running for so long; another program or other packs have another one. Who finds none makes one, and the others wait for it; it takes its place
// by a rename: nobody sees half of one.
const DEMO_MS = 15 * 60000;
const demos = join(root, 'build', 'demo');
const day = (ms) => Math.floor((ms + 8 * 3600000) / 86400000); // of the county

function demoKey() {
  const packs = join(root, 'packs');
  const hash = createHash('sha1');
  for (const path of [binary, ...readdirSync(packs, { recursive: true }).sort().map((f) => join(packs, f))]) {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex').slice(0, 12);
}

// A file with the number of who makes one. Of a process that is gone it counts for nothing.
function mayMake(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (e) {
    if (e.code !== 'EEXIST') throw e;
  }
  try { process.kill(Number(readFileSync(lock, 'utf8')), 0); } catch { rmSync(lock, { force: true }); }
  return false;
}

function madeDemo(key) {
  const now = Date.now();
  const all = readdirSync(demos).map((name) => ({ name, at: join(demos, name), made: Number(name.split('-')[1]) }));
  for (const d of all) if (now - d.made > 4 * DEMO_MS) rmSync(d.at, { recursive: true, force: true });
  return all.find((d) => d.name.startsWith(`${key}-`) && now - d.made < DEMO_MS && day(d.made) === day(now))?.at;
}

// {data, password}: a folder to copy, and the administrator's one-time password in it.
async function demo() {
  mkdirSync(demos, { recursive: true });
  const key = demoKey(), lock = join(demos, `lock-${key}`);
  let at;
  while (!(at = madeDemo(key)) && !mayMake(lock)) await sleep(100);
  if (!at) {
    const now = Date.now(), made = mkdtempSync(join(demos, `making-${now}-`));
    try {
      const s = await Server.start({ dir: join(made, 'data') });
      await s.stop();
      writeFileSync(join(made, 'password'), s.password);
      renameSync(made, at = join(demos, `${key}-${now}-${process.pid}`));
    } finally {
      rmSync(lock, { force: true });
    }
  }
  return { data: join(at, 'data'), password: readFileSync(join(at, 'password'), 'utf8') };
}

export class Server {
  static async start(options = {}) {
    const s = new Server();
    await s.begin(options);
    return s;
  }

  // doors: line protocols to open besides those that are open by default; their ports are s.NAME.
  // copied: the demo county as the packs make it, also if what follows starts it with other options or packs: it takes those as at a restart.
  async begin({ demo: withDemo = true, args = [], env = {}, dir = null, doors = [], copied = !dir && !args.length && !Object.keys(env).length } = {}) {
    this.demo = withDemo;
    this.dir = dir || mkdtempSync(join(tmpdir(), 'anlan-'));
    this.keepDir = !!dir;
    if (withDemo && copied) {
      const made = await demo();
      this.firstPassword = made.password;
      cpSync(made.data, this.dir, { recursive: true, mode: constants.COPYFILE_FICLONE });
    }
    this.args = args;
    this.env = env;
    this.doors = ['http', 'mqtt', 'hj212', 'gb26875', ...doors];
    const ports = await freePorts(this.doors.length);
    this.doors.forEach((door, i) => { this[door] = ports[i]; });
    this.url = `http://127.0.0.1:${this.http}`;
    await this.spawn();
  }

  async probe() { return (await fetch(`${this.url}/healthz`)).status === 200; }

  async spawn() {
    this.sanitizer();
    this.out = '';
    this.code = this.signal = null; // of the one before
    const args = ['serve', '--data', this.dir, ...this.doors.flatMap((d) => [`--${d}`, `127.0.0.1:${this[d]}`]), ...(this.demo ? ['--demo'] : []),
      ...(process.env.ANLAN_BIN && !this.args.includes('--packs') ? ['--packs', join(root, 'packs')] : []), ...this.args];
    this.child = spawn(binary, args, { env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0', ...this.env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.exited = new Promise((ok) => this.child.once('exit', (code, signal) => { this.code = code; this.signal = signal; ok(); }));
    this.child.stdout.on('data', (d) => { this.out += d; });
    this.child.stderr.on('data', (d) => { this.out += d; });
    await until("the server to answer", async () => {
      if (this.code != null) throw Object.assign(new Error(`server ended with ${this.code}: ${this.out}`), { fatal: true });
      return /Anlan is running/.test(this.out) && this.probe();
    }, 300000).catch(async (e) => {
      await this.kill(); // or it would keep the test running
      throw new Error(`${e.message}\n${this.out}`);
    });
  }

  get password() { return /one-time password:\s+(\S+)/.exec(this.out)?.[1] ?? this.firstPassword; }

  // The same data folder, a new process: what only memory knew (throttles) is gone.
  async stopAndStart() {
    this.child.kill('SIGTERM');
    await this.exited;
    this.code = this.signal = undefined;
    await this.spawn();
  }
  again(client) { return this.client(client.token, client.me); }

  kill(signal = 'SIGKILL') { this.child.kill(signal); return this.exited; }

  // What the program did itself must be whole to the verifier: no row changes without its entry in the chain.
  evidence() {
    const verifier = join(root, 'build', 'anlan-verify');
    if (this.tampered || !existsSync(verifier) || !existsSync(join(this.dir, 'anlan.db'))) return '';
    const r = spawnSync(verifier, [this.dir], { encoding: 'utf8' });
    return r.status === 1 ? r.stdout.slice(0, 2000) : '';
  }

  async stop() {
    if (this.code == null && this.signal == null) {
      this.child.kill('SIGTERM');
      const patience = setTimeout(() => this.child.kill('SIGKILL'), 60000);
      await this.exited;
      clearTimeout(patience);
    }
    const evidence = this.evidence();
    if (!this.keepDir && existsSync(this.dir)) rmSync(this.dir, { recursive: true, force: true });
    if (evidence) throw new Error(`the verifier found something:\n${evidence}`);
    this.sanitizer();
  }

  // What the server printed must hold no report of a sanitizer.
  sanitizer() {
    const at = (this.out ?? '').search(/^.*(AddressSanitizer|runtime error:)/m);
    if (at >= 0) throw new Error(`the sanitizer found something:\n${this.out.slice(at, at + 6000)}`);
  }

  // What the server says its answers look like; every answer is held against it.
  contract() {
    this.doc ??= fetch(`${this.url}/api/v1/openapi.json`).then((r) => r.json());
    return this.doc;
  }

  // How a request goes out: {status, headers, text}.
  async send(method, path, headers, body) {
    const res = await fetch(this.url + path, { method, headers, body });
    return { status: res.status, headers: res.headers, text: await res.text() };
  }

  // One request; the answer's status and JSON.
  async call(method, path, body, { token, headers = {}, lang } = {}) {
    const h = { ...headers };
    if (token) h.Authorization = `Bearer ${token}`;
    if (lang) h['Accept-Language'] = lang;
    if (body !== undefined) h['Content-Type'] = 'application/json';
    const { status, headers: answered, text } = await this.send(method, path, h, body === undefined || typeof body === 'string' ? body : JSON.stringify(body));
    let json = null;
    try { json = JSON.parse(text); } catch { /* not JSON */ }
    const wrong = json && breach(await this.contract(), method, path, status, answered.get('content-type'), json);
    if (wrong) throw new Error(wrong);
    return { status, json, text, headers: answered };
  }

  async login(name, password) {
    const r = await this.call('POST', '/api/v1/login', { name, password });
    if (r.status !== 200) throw new Error(`login of ${name}: ${r.text}`);
    return this.client(r.json.token, r.json.me);
  }

  async as(role) {
    const r = await this.call('POST', '/api/v1/demo/login', { role });
    if (r.status !== 200) throw new Error(`demo login of ${role}: ${r.text}`);
    return this.client(r.json.token, r.json.me);
  }

  client(token, me) {
    const c = { token, me };
    for (const m of ['GET', 'POST', 'PATCH', 'DELETE'])
      c[m.toLowerCase()] = (path, body, opt = {}) => this.call(m, path, body, { ...opt, token });
    // the same, but anything other than 2xx is an error
    for (const m of ['GET', 'POST', 'PATCH', 'DELETE'])
      c[`ok_${m.toLowerCase()}`] = async (path, body, opt = {}) => {
        const r = await this.call(m, path, body, { ...opt, token });
        if (r.status >= 300) throw new Error(`${m} ${path}: ${r.status} ${r.text}`);
        return r.json;
      };
    c.events = () => this.events(token);
    return c;
  }

  // The event stream as a list that grows; close() ends it.
  async events(token) {
    const stop = new AbortController();
    const got = [];
    const res = await fetch(`${this.url}/api/v1/events`, { headers: { Authorization: `Bearer ${token}` }, signal: stop.signal });
    if (res.status !== 200) throw new Error(`events: ${res.status}`);
    (async () => {
      let text = '';
      const dec = new TextDecoder();
      for await (const chunk of res.body) {
        text += dec.decode(chunk, { stream: true });
        for (let at; (at = text.indexOf('\n\n')) >= 0; text = text.slice(at + 2)) {
          const block = text.slice(0, at);
          const name = /^event: (.*)$/m.exec(block)?.[1];
          const data = /^data: (.*)$/m.exec(block)?.[1];
          if (name) got.push({ name, data: JSON.parse(data), at: Date.now() });
        }
      }
    })().catch(() => {});
    return { got, close: () => stop.abort(), wait: (what, fn, ms) => until(what, () => got.find(fn), ms) };
  }
}

// A device with one point per given kind, in an enterprise of the demo county; made through the API as people would.
export async function makeDevice(server, { code, protocol = 'mqtt', key, keyless = false, points, ...more }) {
  const bureau = await server.as('bureau');
  const ent = (await bureau.ok_get('/api/v1/records/enterprise?size=1&sort=id')).items[0];
  const device = await bureau.ok_post('/api/v1/records/device', { code, name: `测试设备 ${code}`, enterprise: ent.id, protocol, keyless, ...more });
  const made = [];
  for (const p of points)
    made.push(await bureau.ok_post('/api/v1/records/point', { name: `测试点 ${p.code}`, device: device.id, enterprise: ent.id, interval_s: 1, ...p }));
  const answer = keyless ? {} : await bureau.ok_post(`/api/v1/devices/${device.id}/key`, key ? { key } : {});
  await until('the point to be known', async () => (await bureau.get(`/api/v1/points/${points[points.length - 1].code}`)).status === 200);
  return { device, points: made, key: answer.key, enterprise: ent, bureau };
}
