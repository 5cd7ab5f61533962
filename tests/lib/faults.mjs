// Faults made from outside: the server's wall clock set and its disk slowed by a preloaded library (tests/fault/preload.c).
import { execFileSync } from 'node:child_process';
import { mkdtempSync, openSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, until } from './server.mjs';
import { Device } from './mqtt.mjs';

// env: for the server. set({clock, sync}): seconds added to its wall clock, ms added to each sync, from now on.
export function preload() {
  const dir = mkdtempSync(join(tmpdir(), 'anlan-fault-'));
  const lib = join(dir, 'preload.so');
  execFileSync(process.env.CC || 'cc', ['-shared', '-fPIC', '-O1', '-o', lib, join(root, 'tests/fault/preload.c'), '-ldl']);
  const file = join(dir, 'fault');
  const fd = openSync(file, 'w+');
  const b = Buffer.alloc(4096);
  writeSync(fd, b, 0, 4096, 0);
  return {
    env: { LD_PRELOAD: lib, ANLAN_FAULT: file },
    set({ clock = 0, sync = 0 }) {
      b.writeBigInt64LE(BigInt(clock), 0);
      b.writeBigInt64LE(BigInt(sync), 8);
      writeSync(fd, b, 0, 16, 0);
    },
  };
}

// A device that goes on sending whatever happens, and knows what was acknowledged.
export class Honest {
  constructor(s, { code, key, point }) {
    Object.assign(this, { s, point });
    this.device = new Device({ port: s.mqtt, code, key, window: 64 });
    this.n = 0;
    this.last = 0;
    this.timer = setInterval(() => this.send(), 20);
  }
  send() {
    if (this.device.queue.length > 100) return; // a device has a buffer of its own size
    this.last = Math.max(Date.now(), this.last + 1);
    this.device.publish([{ point: this.point, time: new Date(this.last).toISOString(), value: ++this.n % 50 }]);
  }
  get acked() { return this.device.acked.length; }
  // Served while `what` goes on: so many more acknowledgements.
  async served(what, more = 20) { const had = this.acked; await until(`the honest device to be served during ${what}`, () => this.acked >= had + more); }
  // Ends, and returns what is wrong with the history: nothing.
  async check(client) {
    clearInterval(this.timer);
    await until('the last acknowledgement', () => this.device.idle);
    this.device.close();
    const want = new Map(this.device.acked.flat().map((r) => [Date.parse(r.time), r.value]));
    const from = new Date(Math.min(...want.keys()) - 1000).toISOString();
    const rows = (await client.ok_get(`/api/v1/points/${this.point}/series?from=${encodeURIComponent(from)}&max=1000000`)).items;
    const got = new Map(rows.map(([t, v]) => [Date.parse(t), v]));
    const wrong = [];
    if (got.size !== rows.length) wrong.push(`${rows.length - got.size} twice`);
    for (const [t, v] of want) if (got.get(t) !== v) wrong.push(`${new Date(t).toISOString()}: ${got.get(t)} instead of ${v}`);
    return wrong.slice(0, 5);
  }
}
