// A small MQTT 3.1.1 device: publishes at QoS 1, keeps what is not acknowledged, reconnects and sends it again — as a
// gateway with a buffer does. Knows exactly what was acknowledged.
import { connect } from 'node:net';

const str = (s) => { const b = Buffer.from(s); return Buffer.concat([Buffer.from([b.length >> 8, b.length & 255]), b]); };
const packet = (type, body) => {
  const len = [];
  for (let n = body.length; ;) { const b = n % 128; n = (n - b) / 128; len.push(n ? b | 128 : b); if (!n) break; }
  return Buffer.concat([Buffer.from([type, ...len]), body]);
};

export class Device {
  constructor({ port, code, key, window = 8 }) {
    Object.assign(this, { port, code, key, window });
    this.queue = [];            // messages not sent yet
    this.inflight = new Map();  // packet id → message
    this.acked = [];            // messages, in order of acknowledgement
    this.next = 1;
    this.closed = false;
    this.connects = 0;
    this.open();
  }

  open() {
    if (this.closed) return;
    const s = connect(this.port, '127.0.0.1');
    this.sock = s;
    this.ready = false;
    this.buf = Buffer.alloc(0);
    s.setNoDelay(true);
    s.on('connect', () => s.write(packet(0x10, Buffer.concat([str('MQTT'), Buffer.from([4, 0xc2, 0, 60]), str(this.code), str(this.code), str(this.key)]))));
    s.on('data', (d) => this.receive(d));
    s.on('error', () => {});
    s.on('close', () => { this.ready = false; if (!this.closed) setTimeout(() => this.open(), 20); });
  }

  receive(d) {
    this.buf = Buffer.concat([this.buf, d]);
    for (;;) {
      if (this.buf.length < 2) return;
      let len = 0, shift = 0, at = 1;
      for (; ; at++) {
        if (at >= this.buf.length) return;
        len |= (this.buf[at] & 127) << shift;
        shift += 7;
        if (!(this.buf[at] & 128)) break;
      }
      at++;
      if (this.buf.length < at + len) return;
      const type = this.buf[0] >> 4;
      const body = this.buf.subarray(at, at + len);
      this.buf = this.buf.subarray(at + len);
      if (type === 2) {
        this.code_returned = body[1];
        if (body[1] !== 0) { this.sock.destroy(); return; }
        this.connects++;
        this.ready = true;
        for (const [id, m] of this.inflight) this.sock.write(this.frame(id, m, true));
        this.pump();
      } else if (type === 4) {
        const id = body.readUInt16BE(0);
        const m = this.inflight.get(id);
        if (m) { this.inflight.delete(id); this.acked.push(m); }
        this.pump();
      }
    }
  }

  frame(id, m, dup) {
    return packet(0x32 | (dup ? 8 : 0), Buffer.concat([str(`anlan/v1/${this.code}/readings`), Buffer.from([id >> 8, id & 255]), Buffer.from(JSON.stringify(m))]));
  }

  pump() {
    while (this.ready && this.queue.length && this.inflight.size < this.window) {
      const m = this.queue.shift();
      const id = this.next;
      this.next = this.next % 65535 + 1;
      this.inflight.set(id, m);
      this.sock.write(this.frame(id, m, false));
    }
  }

  publish(m) { this.queue.push(m); this.pump(); }
  get idle() { return !this.queue.length && !this.inflight.size; }
  close() { this.closed = true; this.sock.destroy(); }
}
