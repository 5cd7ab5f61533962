// Runs Anlan and its peers one after the other, several times round, and writes the table: bench/results/DATE.md.
// Called by bench/peers, which has installed and built what is needed.
import { spawn, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const POINTS = Number(process.env.POINTS ?? 10000);
const RUNS = Number(process.env.RUNS ?? 5);
const SECONDS = Number(process.env.SECONDS_EACH ?? 10);
const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');
const built = path.join(root, 'build/bench');

const freePort = () => new Promise((done) => {
  const s = net.createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => done(port)); });
});

async function until(what, limit, fn) {
  for (const end = Date.now() + limit * 1000; Date.now() < end; await sleep(100)) if (await fn()) return;
  throw new Error(`waited ${limit} s for ${what}`);
}

const httpOk = async (url, body) => {
  try { return (await fetch(url, body === undefined ? {} : { method: 'POST', body })).ok; } catch { return false; }
};

const accepts = (port) => new Promise((done) => {
  const s = net.connect(port, '127.0.0.1', () => { s.destroy(); done(true); }).on('error', () => done(false));
});

// ---- what a server takes: its processes and their ends, from /proc ----

const tick = Number(execFileSync('getconf', ['CLK_TCK']));

function processes() {
  const all = new Map();
  for (const pid of fs.readdirSync('/proc').filter((n) => /^\d+$/.test(n))) {
    try {
      const f = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
      // field 3 of proc(5) is f[0]; user, system, and those of children that have ended
      all.set(Number(pid), { parent: Number(f[1]), cpu: (Number(f[11]) + Number(f[12]) + Number(f[13]) + Number(f[14])) / tick });
    } catch { /* it has just ended */ }
  }
  return all;
}

function usage(pids) {
  const all = processes();
  const tree = new Set(pids);
  for (let grew = true; grew;) {
    grew = false;
    for (const [pid, p] of all) if (!tree.has(pid) && tree.has(p.parent)) { tree.add(pid); grew = true; }
  }
  let cpu = 0, kib = 0;
  for (const pid of tree) {
    cpu += all.get(pid)?.cpu ?? 0;
    try { kib += Number(/^Pss:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]); } catch { /* ended */ }
  }
  return { cpu, mib: kib / 1024 };
}

async function settled(pids) { // merges and compaction count: until a second costs nothing, 20 s at most
  let before = usage(pids);
  for (let i = 0; i < 20; i++) {
    await sleep(1000);
    const at = usage(pids);
    if (at.cpu - before.cpu <= 0.03) return at;
    before = at;
  }
  return before;
}

const bytesIn = (dir) => Number(execFileSync('du', ['-s', '--block-size=1', dir], { encoding: 'utf8' }).split('\t')[0]);

// ---- the peers ----
// start: what to run, in a folder of its own; ready, setup: before the load; data: the folder that
// is measured. batch, connections, window: how it takes most (requests of 10,000; a broker is sent messages of 100).

const big = { batch: 10000, connections: 2, window: 1 };
const messages = { batch: 100, connections: 4, window: 50 };

const peers = {
  postgresql: {
    package: 'postgresql-15',
    ...big, durable: 'commit and fsync of each request', path: 'COPY into a table with btree(point, time)',
    user: 'postgres', data: 'base',
    prepare: (dir, as) => execFileSync('/usr/lib/postgresql/15/bin/initdb', ['-D', dir, '-U', 'postgres', '-A', 'trust'], { ...as, stdio: 'ignore' }),
    start: (dir, port) => ['/usr/lib/postgresql/15/bin/postgres', '-D', dir, '-p', port, '-k', dir, '-c', 'shared_buffers=256MB', '-c', 'max_wal_size=2GB'],
    ready: (port) => accepts(port),
    setup: async (port) => {
      const sql = 'CREATE TABLE r(p int, t bigint, v float8); CREATE INDEX ON r(p, t);';
      await until('PostgreSQL', 20, () => {
        try { execFileSync('psql', ['-q', '-h', '127.0.0.1', '-p', port, '-U', 'postgres', '-c', sql], { stdio: 'ignore' }); return true; } catch { return false; }
      });
    },
  },
  influxdb: {
    package: 'influxdb',
    ...big, durable: 'WAL, fsync of each request', path: 'line protocol over HTTP',
    prepare: (dir, as, port, other) => fs.writeFileSync(`${dir}/conf`, `reporting-disabled = true\nbind-address = "127.0.0.1:${other}"\n`
      + `[meta]\n  dir = "${dir}/meta"\n[data]\n  dir = "${dir}/data"\n  wal-dir = "${dir}/wal"\n  query-log-enabled = false\n`
      + '  max-series-per-database = 0\n  max-values-per-tag = 0\n  cache-max-memory-size = 0\n' // its defaults refuse a million points
      + `[http]\n  bind-address = "127.0.0.1:${port}"\n  log-enabled = false\n[monitor]\n  store-enabled = false\n`),
    start: (dir) => ['influxd', '-config', `${dir}/conf`],
    ready: (port) => httpOk(`http://127.0.0.1:${port}/ping`),
    setup: (port) => httpOk(`http://127.0.0.1:${port}/query?q=CREATE%20DATABASE%20bench`, ''),
  },
  'victoria-metrics': {
    package: 'victoria-metrics',
    ...big, durable: 'no WAL: the last seconds are in memory', path: 'line protocol over HTTP',
    start: (dir, port) => ['victoria-metrics', `-storageDataPath=${dir}/data`, `-httpListenAddr=127.0.0.1:${port}`, '-retentionPeriod=1y', '-loggerLevel=ERROR'],
    ready: (port) => httpOk(`http://127.0.0.1:${port}/health`),
  },
  prometheus: {
    package: 'prometheus',
    ...big, durable: 'WAL, no fsync of a request', path: 'remote write over HTTP',
    prepare: (dir) => fs.writeFileSync(`${dir}/conf.yml`, 'global:\n  scrape_interval: 1h\n'),
    start: (dir, port) => ['prometheus', `--config.file=${dir}/conf.yml`, `--storage.tsdb.path=${dir}/data`, `--web.listen-address=127.0.0.1:${port}`,
      '--web.enable-remote-write-receiver', '--log.level=error'],
    ready: (port) => httpOk(`http://127.0.0.1:${port}/-/ready`),
  },
  clickhouse: {
    package: 'clickhouse-server',
    ...big, durable: 'no fsync', path: 'RowBinary over HTTP into MergeTree, points as numbers',
    prepare: (dir, as, port, other) => {
      fs.mkdirSync(`${dir}/data/tmp`, { recursive: true });
      fs.writeFileSync(`${dir}/users.xml`, '<yandex><profiles><default><log_queries>0</log_queries></default></profiles><users><default><password></password>'
        + '<networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default></users><quotas><default/></quotas></yandex>');
      fs.writeFileSync(`${dir}/config.xml`, `<yandex><logger><level>error</level><log>${dir}/log</log><errorlog>${dir}/err</errorlog></logger>`
        + `<http_port>${port}</http_port><tcp_port>${other}</tcp_port><listen_host>127.0.0.1</listen_host><path>${dir}/data/</path>`
        + `<tmp_path>${dir}/data/tmp/</tmp_path><users_config>${dir}/users.xml</users_config><default_profile>default</default_profile>`
        + '<default_database>default</default_database><mark_cache_size>1073741824</mark_cache_size></yandex>');
    },
    start: (dir) => ['clickhouse-server', `--config-file=${dir}/config.xml`],
    ready: (port) => httpOk(`http://127.0.0.1:${port}/ping`),
    setup: async (port) => {
      for (const sql of ['CREATE DATABASE bench',
        'CREATE TABLE bench.r (p UInt32, t Int64, v Float64) ENGINE = MergeTree PARTITION BY tuple() ORDER BY (p, t)']) {
        if (!(await httpOk(`http://127.0.0.1:${port}/`, sql))) throw new Error(`ClickHouse refused: ${sql}`);
      }
    },
  },
  nats: {
    package: 'nats-server',
    ...messages, durable: 'file store, fsync every 2 min', path: 'JetStream, JSON, no rules, no history by point',
    start: (dir, port) => ['nats-server', '-a', '127.0.0.1', '-p', port, '-js', '-sd', `${dir}/data`],
    ready: (port) => accepts(port),
  },
  mosquitto: {
    package: 'mosquitto',
    ...messages, durable: 'a consumer stores: commit every 100 ms, synchronous=FULL; PUBACK comes before', path: 'MQTT QoS 1, JSON → C consumer with four limits → SQLite, a row a reading',
    prepare: (dir, as, port) => fs.writeFileSync(`${dir}/conf`, `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\n`
      + 'max_queued_messages 0\nmax_inflight_messages 100\nset_tcp_nodelay true\nlog_type error\n'),
    start: (dir) => ['mosquitto', '-c', `${dir}/conf`],
    ready: (port) => accepts(port),
    consumer: true,
  },
};

const missing = new Map(fs.readFileSync(path.join(built, 'missing'), 'utf8').split('\n').filter(Boolean).map((l) => l.split('\t')));

// ---- one run ----

const userIds = (name) => {
  if (!name || process.getuid() !== 0) return {};
  const id = (flag) => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
};

function capture(cmd, args) {
  const p = spawn(cmd, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const out = { text: '' };
  p.stdout.on('data', (d) => { out.text += d; });
  return { p, out, done: new Promise((ok, no) => p.on('exit', (code) => (code ? no(new Error(`${cmd.split("/").at(-1)} ended with ${code}`)) : ok(out.text)))) };
}

const load = (name, port, o, seconds) => capture(path.join(built, 'load'), [name, `127.0.0.1:${port}`, '--points', String(POINTS), '--seconds',
  String(seconds), '--batch', String(o.batch), '--connections', String(o.connections), '--window', String(o.window), '--rate', String(Math.floor(o.rate ?? 0))]);

async function end(p) {
  if (p.exitCode !== null || p.signalCode) return;
  const gone = new Promise((done) => p.on('exit', done));
  p.kill('SIGTERM');
  if (!(await Promise.race([gone.then(() => true), sleep(15000).then(() => false)]))) { p.kill('SIGKILL'); await gone; }
}

async function runPeer(name, seconds = SECONDS) {
  const peer = peers[name];
  const dir = fs.mkdtempSync('/var/tmp/anlan-peer-');
  const as = userIds(peer.user);
  const [port, other] = [await freePort(), await freePort()];
  if (as.uid !== undefined) fs.chownSync(dir, as.uid, as.gid);
  let server, consumer;
  try {
    await peer.prepare?.(dir, as, port, other);
    const [cmd, ...args] = peer.start(dir, port);
    server = spawn(cmd, args.map(String), { ...as, stdio: 'ignore', cwd: dir });
    await until(name, 30, () => peer.ready(port));
    await peer.setup?.(port);
    const pids = [server.pid];
    if (peer.consumer) {
      consumer = capture(path.join(built, 'consumer'), [String(port), `${dir}/r.db`]);
      consumer.done.catch(() => {});
      pids.push(consumer.p.pid);
      await sleep(500);
    }
    const data = path.join(dir, peer.data ?? '.');
    const before = await settled(pids), bytes = bytesIn(data);
    const begun = Date.now();
    const sent = JSON.parse(await load(name, port, peer, seconds).done);
    let took = sent.seconds;
    const stored = () => Number(consumer.out.text.trim().split('\n').pop() || 0);
    if (consumer && seconds < SECONDS) return stored() / took; // looking for its rate
    if (consumer) {
      await until('the consumer to have everything', 60, () => stored() === sent.acknowledged);
      took = (Date.now() - begun) / 1000;
    }
    const after = await settled(pids), n = sent.acknowledged;
    return { rate: n / took, cpu: (after.cpu - before.cpu) / n * 1e6, generator: sent.cpu_s / n * 1e6, bytes: (bytesIn(data) - bytes) / n, mib: after.mib };
  } finally {
    if (consumer) await end(consumer.p);
    if (server) await end(server);
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

async function runAnlan() {
  const r = JSON.parse(await capture(path.join(root, 'build/anlan'), ['bench', 'ingest', '--packs', path.join(root, 'packs'), '--points', String(POINTS),
    '--seconds', String(SECONDS)]).done);
  if (r.missing || r.duplicates || r.alarms_missing) throw new Error('Anlan lost something');
  return { rate: r.readings_per_s, cpu: r.cpu_s_per_million, generator: r.generator_cpu_s_per_million,
    bytes: r.disk_bytes_per_reading.blocks || r.disk_bytes_per_reading.log, mib: r.memory_mib.loaded_pss };
}

// ---- all of it ----

const median = (v) => { const s = [...v].sort((a, b) => a - b); return s.length % 2 ? s[(s.length - 1) / 2] : (s[s.length / 2 - 1] + s[s.length / 2]) / 2; };
const versionOf = (name) => execFileSync('dpkg-query', ['-W', '-f', '${Version}', peers[name].package], { encoding: 'utf8' }).replace(/^\d+:|[+~-].*$/g, '');

const names = process.argv.slice(2).filter((n) => !missing.has(n));
const results = new Map([['anlan', []], ...names.map((n) => [n, []])]);
const loads = [];
const failed = new Map();
if (names.includes('mosquitto')) {
  try { peers.mosquitto.rate = 0.9 * await runPeer('mosquitto', Math.min(3, SECONDS - 1)); } catch (e) { failed.set('mosquitto', e.message); }
}
const k = (v) => `${Math.round(v / 1000).toLocaleString('en')}k`;
const line = (name, title, request, durable, way) => {
  const v = results.get(name);
  const m = (f) => median(v.map(f));
  return `| ${title} | ${way} | ${durable} | ${request} | ${k(m((r) => r.rate))} (${k(Math.min(...v.map((r) => r.rate)))}–${k(Math.max(...v.map((r) => r.rate)))}) `
    + `| ${m((r) => r.cpu).toFixed(3)} | ${m((r) => r.generator).toFixed(3)} | ${m((r) => r.bytes).toFixed(1)} | ${Math.round(m((r) => r.mib))} |`;
};
const version = execFileSync('git', ['-C', root, 'rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
// Written after each round, so that what was measured is kept when the rest is broken off.
function writeTable(done) {
  const out = [
    `# ${POINTS.toLocaleString('en')} points, ${new Date().toISOString().slice(0, 10)}`, '',
    `\`POINTS=${POINTS} RUNS=${RUNS} SECONDS_EACH=${SECONDS} bench/peers\`: medians of ${done} run${done > 1 ? 's' : ''}, one after the other in turn (slowest–fastest in brackets).`,
    `Machine: ${os.cpus().length} × ${os.cpus()[0].model.trim()}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, kernel ${os.release()}; load average before the runs `
    + `${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)} (what ran before counts; more than ${os.cpus().length} means that other work ran too). Generator and server share the cores.`, '',
    '| server | path | durable when acknowledged | readings a request | readings/s | server CPU s per million | generator CPU s per million | bytes a reading on disk | memory MiB |',
    '|---|---|---|---|---|---|---|---|---|',
    line('anlan', `Anlan ${version}`, 100, 'log, fsync before the acknowledgement', 'MQTT QoS 1, JSON, names, RFC 3339; a rule with four limits on every point, 20 alarms/s that open warnings'),
    ...names.filter((n) => !failed.has(n)).map((n) => line(n, `${n} ${versionOf(n)}`, peers[n].batch.toLocaleString('en'), peers[n].durable, peers[n].path)), '',
    ...[...missing].map(([n, why]) => `Not installed: ${n}. ${why}\n`), ...[...failed].map(([n, why]) => `No result: ${n}. ${why}\n`),
    'No peer judges alarm rules here but the consumer behind mosquitto (four comparisons, no state). Anlan\'s bytes are those of its sealed blocks (of its log, if none was sealed yet);',
    'the log itself (about 3 bytes a reading) is cut when its readings are in blocks. Memory is Pss after the load.', '',
  ].join('\n');
  const file = path.join(root, 'bench/results', `${new Date().toISOString().slice(0, 10)}-${POINTS}.md`);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, out);
  return out;
}

let text = '';
for (let run = 1; run <= RUNS; run++) {
  for (const name of results.keys()) {
    if (failed.has(name)) continue;
    loads.push(os.loadavg()[0]);
    try {
      const r = name === 'anlan' ? await runAnlan() : await runPeer(name);
      results.get(name).push(r);
      console.error(`${run}/${RUNS} ${name}: ${Math.round(r.rate / 1000)}k readings/s, ${r.cpu.toFixed(3)} CPU s per million`);
    } catch (e) {
      if (name === 'anlan') throw e;
      failed.set(name, e.message);
      console.error(`${name}: ${e.message}`);
    }
  }
  text = writeTable(run);
}
console.log(text);
