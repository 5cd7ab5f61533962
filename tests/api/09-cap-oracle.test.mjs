// The checker of CAP 1.2 itself (tests/lib/cap.mjs): a message made by hand passes, and each way of being wrong is found. No server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkCap } from '../lib/cap.mjs';

const area = '<area><areaDesc>某镇</areaDesc><polygon>31.0,118.0 31.0,118.1 31.1,118.1 31.0,118.0</polygon><circle>32.9525,-115.5527 0.5</circle></area>';
const info = `<info><language>zh-CN</language><category>Safety</category><event>泄漏</event><urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty><expires>2026-12-01T10:00:00+08:00</expires><headline>甲</headline><resource><resourceDesc>图</resourceDesc><mimeType>image/png</mimeType><size>12</size></resource>${area}</info>`;
const good = `<?xml version="1.0" encoding="UTF-8"?>\n<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>YJ-1</identifier><sender>duty@county.example</sender><sent>2026-12-01T08:00:00+08:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>${info}</alert>`;

test('a message made by the standard passes', () => { checkCap(good); });

const wrong = {
  'an unknown status': ['>Actual<', '>BOGUS<'],
  'a time with Z': ['2026-12-01T08:00:00+08:00', '2026-12-01T00:00:00Z'],
  'a time with a fraction': ['2026-12-01T08:00:00+08:00', '2026-12-01T08:00:00.5+08:00'],
  'a time that is none': ['2026-12-01T10:00:00+08:00', '2026-13-41T10:00:00+08:00'],
  'a sender with a space': ['duty@county.example', 'duty county'],
  'an identifier with a comma': ['YJ-1', 'YJ,1'],
  'elements out of order': ['<urgency>Immediate</urgency><severity>Severe</severity>', '<severity>Severe</severity><urgency>Immediate</urgency>'],
  'no event': ['<event>泄漏</event>', ''],
  'no category': ['<category>Safety</category>', ''],
  'an unknown category': ['>Safety<', '>Danger<'],
  'an unknown element': ['<headline>甲</headline>', '<headline>甲</headline><colour>red</colour>'],
  'an open polygon': ['31.1,118.1 31.0,118.0<', '31.1,118.1 31.2,118.0<'],
  'a polygon of three pairs': ['31.0,118.0 31.0,118.1 31.1,118.1 31.0,118.0', '31.0,118.0 31.0,118.1 31.0,118.0'],
  'longitude before latitude': ['31.0,118.0 31.0,118.1 31.1,118.1 31.0,118.0', '118.0,31.0 118.1,31.0 118.1,31.1 118.0,31.0'],
  'a circle without a radius': ['32.9525,-115.5527 0.5', '32.9525,-115.5527'],
  'a circle beyond the pole': ['32.9525,-115.5527', '98.9,-115.5527'],
  'an area without a description': ['<areaDesc>某镇</areaDesc>', ''],
  'a resource without its type': ['<mimeType>image/png</mimeType>', ''],
  'an update that refers to nothing': ['>Alert<', '>Update<'],
  'a restricted message without a restriction': ['>Public<', '>Restricted<'],
  'a private message without addresses': ['>Public<', '>Private<'],
  'another namespace': ['cap:1.2', 'cap:1.1'],
  'a DTD': ['?>\n', '?>\n<!DOCTYPE alert [<!ENTITY x SYSTEM "file:///etc/passwd">]>'],
  'an entity of its own': ['甲', '&x;'],
};
for (const [name, [from, to]] of Object.entries(wrong))
  test(`${name} is found`, () => {
    assert.ok(good.includes(from), from);
    assert.throws(() => checkCap(good.replace(from, to)));
  });
