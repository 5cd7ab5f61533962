// A checker of CAP 1.2 messages (OASIS Standard, 1 July 2010): order and number of elements, enumerations, patterns and what 3.2
// says in words. Written from the standard, apart from the program that writes the messages.
import assert from 'node:assert/strict';

// [name, least, most, check]; the order is that of the schema (xs:sequence).
const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d$/;
const plain = /^[^\s,<&]+$/;
const one = (...words) => new RegExp(`^(${words.join('|')})$`);
const degrees = '-?\\d{1,3}(\\.\\d+)?';
const named = [['valueName', 1, 1], ['value', 1, 1]];
const many = Infinity;
const areaParts = [['areaDesc', 1, 1, /\S/], ['polygon', 0, many, new RegExp(`^${degrees},${degrees}( ${degrees},${degrees}){3,}$`)],
  ['circle', 0, many, new RegExp(`^${degrees},${degrees} \\d+(\\.\\d+)?$`)], ['geocode', 0, many, named], ['altitude', 0, 1], ['ceiling', 0, 1]];
const resourceParts = [['resourceDesc', 1, 1, /\S/], ['mimeType', 1, 1, /^[\w.+-]+\/[\w.+-]+$/], ['size', 0, 1, /^\d+$/], ['uri', 0, 1, /\S/], ['derefUri', 0, 1], ['digest', 0, 1, /^[0-9a-fA-F]{40}$/]];
const infoParts = [['language', 0, 1, /^[a-z]{2}-[A-Z]{2}$/], ['category', 1, many, one('Geo', 'Met', 'Safety', 'Security', 'Rescue', 'Fire', 'Health', 'Env', 'Transport', 'Infra', 'CBRNE', 'Other')],
  ['event', 1, 1, /\S/], ['responseType', 0, many, one('Shelter', 'Evacuate', 'Prepare', 'Execute', 'Avoid', 'Monitor', 'Assess', 'AllClear', 'None')],
  ['urgency', 1, 1, one('Immediate', 'Expected', 'Future', 'Past', 'Unknown')], ['severity', 1, 1, one('Extreme', 'Severe', 'Moderate', 'Minor', 'Unknown')],
  ['certainty', 1, 1, one('Observed', 'Likely', 'Possible', 'Unlikely', 'Unknown')], ['audience', 0, 1], ['eventCode', 0, many, named], ['effective', 0, 1, moment],
  ['onset', 0, 1, moment], ['expires', 0, 1, moment], ['senderName', 0, 1], ['headline', 0, 1], ['description', 0, 1], ['instruction', 0, 1], ['web', 0, 1],
  ['contact', 0, 1], ['parameter', 0, many, named], ['resource', 0, many, resourceParts], ['area', 0, many, areaParts]];
const alertParts = [['identifier', 1, 1, plain], ['sender', 1, 1, plain], ['sent', 1, 1, moment], ['status', 1, 1, one('Actual', 'Exercise', 'System', 'Test', 'Draft')],
  ['msgType', 1, 1, one('Alert', 'Update', 'Cancel', 'Ack', 'Error')], ['source', 0, 1], ['scope', 1, 1, one('Public', 'Restricted', 'Private')], ['restriction', 0, 1],
  ['addresses', 0, 1], ['code', 0, many], ['note', 0, 1], ['references', 0, 1, /^\S+,\S+,\S+( \S+,\S+,\S+)*$/], ['incidents', 0, 1], ['info', 0, many, infoParts]];

// A small reader of XML without attributes, comments or entities of its own: whatever else comes is refused, DTDs too.
export function readXml(xml) {
  let at = 0;
  const fail = (why) => assert.fail(`${why} at byte ${at}: ${xml.slice(at, at + 60)}`);
  const take = (re) => { re.lastIndex = at; const m = re.exec(xml); if (m) at = re.lastIndex; return m; };
  const unescape = (s) => s.replace(/&(lt|gt|amp|quot|apos);|&/g, (_, e) => (e ? { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }[e] : fail('a bare &')));
  const node = () => {
    const open = take(/\s*<([A-Za-z]+)((?: xmlns="[^"]*")?)>/y) ?? fail('an element is expected');
    const n = { name: open[1], ns: /"(.*)"/.exec(open[2])?.[1], children: [], text: '' };
    for (;;) {
      const text = take(/[^<]*/y)[0];
      if (take(/<\/([A-Za-z]+)>/y)) { assert.equal(xml.slice(0, at).match(/<\/([A-Za-z]+)>$/)[1], n.name); n.text += unescape(text); return n; }
      assert.equal(text.trim(), '', `text between elements of ${n.name}`);
      n.children.push(node());
    }
  };
  take(/<\?xml version="1\.0" encoding="UTF-8"\?>\n/y) ?? fail('no XML declaration');
  const root = node();
  assert.equal(xml.slice(at).trim(), '');
  return root;
}

function checkSequence(n, parts) {
  let next = 0;
  for (const part of parts) {
    const [name, least, most, check] = part;
    let count = 0;
    for (; n.children[next]?.name === name; next++, count++) {
      const child = n.children[next];
      if (Array.isArray(check)) checkSequence(child, check);
      else {
        assert.deepEqual(child.children, [], `${name} holds text`);
        if (check) assert.match(child.text, check, `${n.name}.${name}`);
      }
    }
    assert.ok(count >= least && count <= most, `${n.name} has ${count} of ${name}`);
  }
  assert.equal(n.children[next]?.name, undefined, `${n.name}: not in the order of the schema, or unknown`);
}

export const all = (n, name) => n.children.filter((c) => c.name === name);
export const text = (n, name) => all(n, name)[0]?.text;

// Throws what is wrong; the message as a tree.
export function checkCap(xml) {
  const alert = readXml(xml);
  assert.equal(alert.name, 'alert');
  assert.equal(alert.ns, 'urn:oasis:names:tc:emergency:cap:1.2');
  checkSequence(alert, alertParts);
  // 3.2.1: restriction is used with scope Restricted; references are what an update or a cancellation is about
  assert.equal(text(alert, 'scope') === 'Restricted', text(alert, 'restriction') !== undefined);
  if (text(alert, 'msgType') !== 'Alert') assert.ok(text(alert, 'references'), 'an update or cancellation refers to what it changes');
  for (const triple of (text(alert, 'references') ?? '').split(' ').filter(Boolean)) assert.match(triple.split(',')[2], moment);
  for (const info of all(alert, 'info'))
    for (const area of all(info, 'area'))
      for (const polygon of all(area, 'polygon')) { // 3.2.4: the first and last pair are the same
        const pairs = polygon.text.split(' ');
        assert.equal(pairs[0], pairs.at(-1));
        assert.ok(pairs.length >= 4, 'a polygon has four pairs at least');
        for (const p of pairs) { const [lat, lon] = p.split(',').map(Number); assert.ok(Math.abs(lat) <= 90 && Math.abs(lon) <= 180, p); }
      }
  for (const info of all(alert, 'info'))
    for (const circle of all(info, 'area').flatMap((area) => all(area, 'circle'))) {
      const [lat, lon] = circle.text.split(' ')[0].split(',').map(Number);
      assert.ok(Math.abs(lat) <= 90 && Math.abs(lon) <= 180, circle.text);
    }
  for (const x of [alert, ...all(alert, 'info')]) for (const name of ['sent', 'effective', 'onset', 'expires']) if (text(x, name)) assert.ok(Number.isFinite(Date.parse(text(x, name))), text(x, name));
  if (text(alert, 'scope') === 'Private') assert.ok(text(alert, 'addresses'), 'a private message says to whom');
  return alert;
}
