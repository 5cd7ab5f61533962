// Import: a table becomes records by the rules that hold for everyone; mistakes are named by cell; nothing is done before
// somebody agrees; what was done can be undone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, until } from '../lib/server.mjs';

let s, bureau;
before(async () => { s = await Server.start(); bureau = await s.as('bureau'); });
after(() => s.stop());

// GB 32100-2015: the check character of a code's first 17 characters.
const ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY';
function uscc(n) {
  const first = `91990121MA${String(n).padStart(7, '0')}`;
  let sum = 0;
  for (let i = 0; i < 17; i++) sum += ALPHABET.indexOf(first[i]) * (3 ** i % 31);
  return first + ALPHABET[(31 - sum % 31) % 31];
}

async function upload(who, query, bytes) {
  const res = await fetch(`${s.url}/api/v1/imports?${query}`, {
    method: 'POST', headers: { Authorization: `Bearer ${who.token}`, 'Content-Type': 'application/octet-stream' }, body: bytes });
  return { status: res.status, json: await res.json() };
}
const settled = (who, id) => until(`import ${id}`, async () => {
  const im = await who.ok_get(`/api/v1/imports/${id}`);
  return !['checking', 'running', 'undoing'].includes(im.state) && im;
}, 60000);
async function check(who, query, bytes) {
  const r = await upload(who, query, bytes);
  assert.equal(r.status, 202, JSON.stringify(r.json));
  return settled(who, r.json.id);
}
async function run(who, im, body = {}) {
  await who.ok_post(`/api/v1/imports/${im.id}/run`, body);
  return settled(who, im.id);
}
const enterprises = async (q) => (await bureau.ok_get(`/api/v1/records/enterprise?q=${encodeURIComponent(q)}&size=100&sort=number`)).items;

const HEAD = '企业名称,统一社会信用代码,行业领域,规模,从业人数（人）,所在区域,位置,应急联系电话\r\n';
const row = (n, more = {}) => {
  const v = { name: `导入企业${n}`, uscc: uscc(n), sector: '危险化学品', scale: '', staff: '1,20', area: '990121101000', position: '"118.10,32.40"', phone: '13800001234', ...more };
  return `${v.name},${v.uscc},${v.sector},${v.scale},"${v.staff}",${v.area},${v.position},${v.phone}\r\n`;
};

test('the check names every mistake by its cell and changes nothing', async () => {
  const before = (await bureau.ok_get('/api/v1/records/enterprise?size=1')).total;
  const text = HEAD + row(1) + row(2, { uscc: '91990121MA0000000X' }) + row(3, { sector: '炼金术' }) + row(4, { area: '没有这个镇' }) +
    row(5, { name: '' }) + row(6, { uscc: uscc(1) }) + row(7, { staff: '许多' });
  const im = await check(bureau, 'type=enterprise&format=csv&name=a.csv', text);
  assert.equal(im.state, 'checked');
  assert.deepEqual([im.rows, im.created, im.failed], [7, 1, 6], JSON.stringify(im.errors));
  const at = Object.fromEntries(im.errors.map((e) => [e.cell, e]));
  for (const cell of ['B3', 'C4', 'F5', 'A6', 'B7', 'E8']) assert.ok(at[cell], `${cell} in ${Object.keys(at)}`);
  assert.match(at.C4.message, /炼金术.*可选.*危险化学品/);
  assert.match(at.B7.message, /第 2 行/);
  assert.equal(at.E8.label, '从业人数（人）');
  assert.equal((await bureau.ok_get('/api/v1/records/enterprise?size=1')).total, before);
  const r = await bureau.post(`/api/v1/imports/${im.id}/run`, {});
  assert.equal(r.status, 409);
  const en = await bureau.ok_get(`/api/v1/imports/${im.id}`, undefined, { lang: 'en' });
  assert.ok(en.errors.every((e) => /^[\x20-\x7e\u4e00-\u9fff“”（）…]+$/.test(e.message) && /[a-z]{3}/.test(e.message)), JSON.stringify(en.errors));
  const done = await run(bureau, im, { skip_errors: true });
  assert.deepEqual([done.state, done.created, done.failed], ['done', 1, 6]);
  assert.equal((await bureau.ok_get('/api/v1/records/enterprise?size=1')).total, before + 1);
});

test('rows become records as if typed: number, audit entry, batch, defaults', async () => {
  const im = await check(bureau, 'type=enterprise', HEAD + row(11) + row(12, { scale: '大型', area: '安澜县' }) + '\r\n' + row(13));
  assert.deepEqual([im.state, im.created, im.failed], ['checked', 3, 0], JSON.stringify(im.errors));
  const done = await run(bureau, im);
  assert.deepEqual([done.state, done.created], ['done', 3]);
  const made = await enterprises('导入企业1');
  const one = made.find((e) => e.uscc === uscc(11));
  assert.ok(one && /^QY-\d{5}$/.test(one.number), JSON.stringify(one));
  assert.equal(one.staff, 120);
  assert.equal(one.status, 'running');
  assert.deepEqual(one.position, [118.1, 32.4]);
  const history = await bureau.ok_get(`/api/v1/records/enterprise/${one.id}/history`);
  assert.equal(history.items[0].action, 'create');
});

test('GB18030, semicolons, other heading forms and dates', async () => {
  const { execFileSync } = await import('node:child_process');
  const text = HEAD.replaceAll(',', ';') + row(21).replaceAll('"118.10,32.40"', '118.10，32.40').replaceAll('"1,20"', '１２０').replaceAll(',', ';');
  const gb = execFileSync('iconv', ['-f', 'UTF-8', '-t', 'GB18030'], { input: text });
  const im = await check(bureau, 'type=enterprise', gb);
  assert.deepEqual([im.state, im.created, im.failed], ['checked', 1, 0], JSON.stringify(im));
  assert.deepEqual(im.columns.filter((c) => !c.field), []);
});

test('tables as people keep them: a title above, spread headings, grouped numbers, serial days, marks for nothing', async () => {
  const ugly = '某镇企业台账,,,,,,,\r\n,,,,,,,\r\n' + HEAD.replace('企业名称', '"企 业\n名　称"') +
    row(40, { name: '"丑陋\n企业"', uscc: ` ${uscc(40)}\u00a0`, position: '118.10 32.40', phone: '138 0000 1234', staff: '１２０人' }) +
    row(41, { name: '丑陋二', phone: '138-0000-1235', staff: '无' }) + row(42, { name: '丑陋三', phone: '1.38E+10' });
  const im = await check(bureau, 'type=enterprise&format=csv', ugly);
  assert.deepEqual([im.rows, im.created, im.failed], [3, 2, 1], JSON.stringify(im.errors));
  assert.match(im.errors[0].message, /末尾的数字已经丢失；请把这一列设为文本/);
  await run(bureau, im, { skip_errors: true });
  const [a, b] = await enterprises('丑陋');
  assert.deepEqual([a.name, a.uscc, a.staff, a.position, b.staff], ['丑陋 企业', uscc(40), 120, [118.1, 32.4], null]);
  const found = (await bureau.ok_get(`/api/v1/records/enterprise/${a.id}`));
  const days = await check(bureau, 'type=hazard&format=csv', `标题,企业,发现时间,整改期限\r\n序列日期,${found.number},46027.5,46027\r\n`);
  assert.deepEqual([days.created, days.failed], [1, 0], JSON.stringify(days.errors));
  await run(bureau, days);
  const h = (await bureau.ok_get(`/api/v1/records/hazard?q=${encodeURIComponent('序列日期')}`)).items[0];
  assert.deepEqual([h.found, h.due], ['2026-01-05T12:00:00+08:00', '2026-01-05']);
});

function crc32(bytes) {
  let crc = -1;
  for (const b of bytes) {
    crc ^= b;
    for (let k = 0; k < 8; k++) crc = crc >>> 1 ^ (crc & 1 && 0xedb88320);
  }
  return (crc ^ -1) >>> 0;
}

// A workbook of one sheet, stored and not compressed; a cell is a text or a number.
function workbook(rows, merges) {
  const cell = (v, at) => typeof v === 'number' ? `<c r="${at}"><v>${v}</v></c>` : `<c r="${at}" t="inlineStr"><is><t>${v}</t></is></c>`;
  const sheet = `<worksheet><sheetData>${rows.map((r, i) => `<row r="${i + 1}">${r.map((v, k) => v === null ? '' :
    cell(v, `${'ABCDEFGHIJ'[k]}${i + 1}`)).join('')}</row>`).join('')}</sheetData><mergeCells>${merges.map((m) => `<mergeCell ref="${m}"/>`).join('')}</mergeCells></worksheet>`;
  const head = [], body = [];
  let at = 0;
  for (const [name, text] of [['[Content_Types].xml', '<Types/>'], ['xl/workbook.xml', '<workbook><sheets><sheet name="a"/></sheets></workbook>'], ['xl/worksheets/sheet1.xml', sheet]]) {
    const data = Buffer.from(text), file = Buffer.from(name), h = Buffer.alloc(46);
    [[0x02014b50, 0, 4], [20, 4, 2], [20, 6, 2], [crc32(data), 16, 4], [data.length, 20, 4], [data.length, 24, 4], [file.length, 28, 2], [at, 42, 4]].forEach(
      ([v, o, n]) => h.writeUIntLE(v, o, n));
    const local = Buffer.concat([Buffer.from([0x50, 0x4b, 3, 4]), h.subarray(6, 30), Buffer.alloc(2)]).subarray(0, 30);
    local.writeUInt16LE(0, 28);
    head.push(h, file);
    body.push(local, file, data);
    at += local.length + file.length + data.length;
  }
  const list = Buffer.concat(head), end = Buffer.alloc(22);
  [[0x06054b50, 0, 4], [3, 8, 2], [3, 10, 2], [list.length, 12, 4], [at, 16, 4]].forEach(([v, o, n]) => end.writeUIntLE(v, o, n));
  return Buffer.concat([...body, list, end]);
}

test('what stands once beside several rows, in merged cells, holds for each of them', async () => {
  const [a, b] = (await bureau.ok_get('/api/v1/records/enterprise?size=2&sort=number')).items;
  const rows = [['隐患台账', null, null, null], ['标题', '企业', '发现时间', '整改期限'], ['合并甲', a.number, 46027, 46030], ['合并乙', null, 46028, 46031],
    ['合并丙', b.number, 46027, null], ['合并丁', null, 46027, null], [null, null, null, null]];
  const im = await check(bureau, 'type=hazard&format=xlsx', workbook(rows, ['A1:D1', 'B3:B4', 'D3:D4', 'B5:B7']));
  assert.deepEqual([im.rows, im.created, im.failed], [4, 4, 0], JSON.stringify(im.errors));
  await run(bureau, im);
  const made = (await bureau.ok_get(`/api/v1/records/hazard?q=${encodeURIComponent('合并')}&sort=id`)).items;
  assert.deepEqual(made.map((h) => [h.title, h.enterprise.id, h.due]),
    [['合并甲', a.id, '2026-01-08'], ['合并乙', a.id, '2026-01-09'], ['合并丙', b.id, null], ['合并丁', b.id, null]]);
});

test('key: what exists is changed, what is the same stays, undo puts both back', async () => {
  const first = await run(bureau, await check(bureau, 'type=enterprise&key=uscc', HEAD + row(31) + row(32) + row(33)));
  assert.equal(first.created, 3);
  const text = HEAD + row(31) + row(32, { staff: '45', name: '改名企业32' }) + row(34);
  const im = await check(bureau, 'type=enterprise&key=uscc', text);
  assert.deepEqual([im.created, im.changed, im.unchanged, im.failed], [1, 1, 1, 0], JSON.stringify(im.errors));
  const done = await run(bureau, im);
  assert.deepEqual([done.state, done.created, done.changed, done.unchanged], ['done', 1, 1, 1]);
  const find = async (n) => (await bureau.ok_get(`/api/v1/records/enterprise?where.uscc=${uscc(n)}`)).items[0];
  assert.equal((await find(32)).name, '改名企业32');
  const other = await find(34);
  await bureau.ok_post(`/api/v1/imports/${im.id}/undo`, {});
  const undone = await settled(bureau, im.id);
  assert.deepEqual([undone.state, undone.undone, undone.kept], ['undone', 2, 0], JSON.stringify(undone.errors));
  const back = await find(32);
  assert.deepEqual([back.name, back.staff], ['导入企业32', 120]);
  assert.equal(await find(34), undefined, 'what was created is retired');
  assert.equal((await bureau.post(`/api/v1/imports/${im.id}/undo`, {})).status, 409, 'not twice');
  // and the same table may come again: what the undo retired is in use again
  const again = await run(bureau, await check(bureau, 'type=enterprise&key=uscc', HEAD + row(34)));
  assert.deepEqual([again.state, again.created], ['done', 1], JSON.stringify(again.errors));
  assert.equal((await find(34)).id, other.id);
});

test('undo leaves what somebody has changed since, and says so', async () => {
  const done = await run(bureau, await check(bureau, 'type=enterprise&key=uscc', HEAD + row(41) + row(42)));
  const one = (await bureau.ok_get(`/api/v1/records/enterprise?where.uscc=${uscc(41)}`)).items[0];
  await bureau.ok_patch(`/api/v1/records/enterprise/${one.id}`, { version: one.version, staff: 99 });
  await bureau.ok_post(`/api/v1/imports/${done.id}/undo`, {});
  const undone = await settled(bureau, done.id);
  assert.deepEqual([undone.undone, undone.kept], [1, 1]);
  assert.match(undone.errors[0].message, new RegExp(`${one.number}.*保留`));
  assert.equal((await bureau.ok_get(`/api/v1/records/enterprise/${one.id}`)).staff, 99);
});

test('rights hold: type, scope, and imports are their author\'s own', async () => {
  const duty = await s.as('duty'), town = await s.as('town');
  assert.equal((await upload(duty, 'type=enterprise', HEAD + row(51))).status, 403);
  assert.equal((await upload(bureau, 'type=nothing', HEAD)).status, 404);
  assert.equal((await upload(bureau, 'type=enterprise&key=name', HEAD + row(51))).status, 400);
  assert.equal((await upload(bureau, 'type=enterprise&format=pdf', HEAD + row(51))).status, 400);
  const res = await fetch(`${s.url}/api/v1/imports?type=enterprise`, { method: 'POST', body: HEAD });
  assert.equal(res.status, 401);
  const im = await check(town, 'type=enterprise', HEAD + row(52, { area: town.me.area.startsWith('990121105') ? '990121101000' : '990121105000' }) + row(53, { area: town.me.area.padEnd(12, '0') }));
  assert.equal(im.failed, 1, JSON.stringify(im));
  assert.equal((await bureau.get(`/api/v1/imports/${im.id}`)).status, 404);
  assert.equal((await bureau.post(`/api/v1/imports/${im.id}/run`, { skip_errors: true })).status, 404);
});

test('a file that is no table is refused with what to do', async () => {
  const noHead = await check(bureau, 'type=enterprise', 'a,b,c\r\n1,2,3\r\n');
  assert.equal(noHead.state, 'failed');
  assert.match(noHead.message, /表头/);
  const r = await upload(bureau, 'type=enterprise&format=xlsx', Buffer.from('PK\x03\x04 no zip at all'));
  if (r.status === 202) assert.equal((await settled(bureau, r.json.id)).state, 'failed');
  else assert.ok(r.status >= 400 && r.status < 500);
});

test('the template goes back in: xlsx and csv', async () => {
  const csv = await fetch(`${s.url}/api/v1/records/enterprise/template?format=csv`, { headers: { Authorization: `Bearer ${bureau.token}` } });
  const text = await csv.text();
  assert.match(text, /^\ufeff?"#","\*企业名称"/);
  assert.match(text, /"从业人数（人）"/);
  const columns = text.split('\r\n')[0].split(',').length;
  const cells = Array(columns).fill('');
  const at = (label) => text.split('\r\n')[0].split(',').findIndex((h) => h.includes(label));
  cells[at('企业名称')] = '导入企业61'; cells[at('信用代码')] = uscc(61); cells[at('行业领域')] = '危险化学品';
  cells[at('所在区域')] = '990121101000'; cells[at('"*位置"')] = '"118,32"';
  const im = await check(bureau, 'type=enterprise', `${text}${cells.join(',')}\r\n`);
  assert.deepEqual([im.state, im.rows, im.created, im.failed], ['checked', 1, 1, 0], JSON.stringify(im));
  const xlsx = await fetch(`${s.url}/api/v1/records/enterprise/template?format=xlsx`, { headers: { Authorization: `Bearer ${bureau.token}` } });
  const bytes = Buffer.from(await xlsx.arrayBuffer());
  assert.equal(bytes.subarray(0, 2).toString(), 'PK');
  const empty = await check(bureau, 'type=enterprise', bytes);
  assert.deepEqual([empty.state, empty.rows, empty.format], ['checked', 0, 'xlsx'], JSON.stringify(empty));
  assert.ok(empty.columns.filter((c) => c.field).length >= 12);
});

