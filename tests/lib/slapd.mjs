// A real OpenLDAP server for a test: its own folder, loopback only, its own certificate authority. The program is copied, so
// that a profile the system may have for /usr/sbin/slapd does not forbid the folder.
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, until } from './server.mjs';

export const BASE = 'dc=anlan,dc=test';
export const READER = { dn: `cn=reader,${BASE}`, password: 'reader secret' };

function certificate(dir) {
  const run = (...args) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  run('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=county', '-days', '2');
  run('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'ldap.key', '-out', 'ldap.csr', '-subj', '/CN=ldap');
  writeFileSync(join(dir, 'san'), 'subjectAltName=IP:127.0.0.1');
  run('x509', '-req', '-in', 'ldap.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-out', 'ldap.pem', '-days', '2', '-extfile', 'san');
  return readFileSync(join(dir, 'ca.pem'), 'utf8');
}

// people: [{uid, ou?, password}]; the text of an LDIF, names in base64 so that any may stand there
function ldif(people) {
  const b = (s) => Buffer.from(s).toString('base64');
  const out = [`dn: ${BASE}\nobjectClass: organization\nobjectClass: dcObject\no: county\ndc: anlan`,
    `dn: ${READER.dn}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: reader\nuserPassword: ${READER.password}`,
    ...['people', 'former'].map((ou) => `dn: ou=${ou},${BASE}\nobjectClass: organizationalUnit\nou: ${ou}`)];
  for (const p of people) {
    const rdn = p.uid.replace(/[\\,+"<>;=*()#]/g, (c) => `\\${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
    out.push(`dn:: ${b(`uid=${rdn},ou=${p.ou ?? 'people'},${BASE}`)}\nobjectClass: inetOrgPerson\nuid:: ${b(p.uid)}\ncn: x\nsn: x\nuserPassword:: ${b(p.password)}`);
  }
  return `${out.join('\n\n')}\n`;
}

export async function startSlapd(people) {
  const dir = mkdtempSync(join(tmpdir(), 'anlan-slapd-'));
  mkdirSync(join(dir, 'db'));
  const ca = certificate(dir);
  cpSync('/usr/sbin/slapd', join(dir, 'slapd'), { dereference: true });
  writeFileSync(join(dir, 'slapd.conf'), [
    ...['core', 'cosine', 'inetorgperson'].map((s) => `include /etc/ldap/schema/${s}.schema`),
    'modulepath /usr/lib/ldap', 'moduleload back_mdb', `pidfile ${dir}/pid`,
    `TLSCertificateFile ${dir}/ldap.pem`, `TLSCertificateKeyFile ${dir}/ldap.key`,
    'allow bind_v2 bind_anon_cred bind_anon_dn', // the worst a directory can do: a bind without a password succeeds
    'database mdb', `suffix "${BASE}"`, `rootdn "cn=root,${BASE}"`, `directory ${dir}/db`, 'maxsize 10485760',
    'access to attrs=userPassword by anonymous auth by * none',
    `access to * by dn.exact="${READER.dn}" read by * none`, ''].join('\n'));
  writeFileSync(join(dir, 'people.ldif'), ldif(people));
  execFileSync(join(dir, 'slapd'), ['-T', 'add', '-f', join(dir, 'slapd.conf'), '-l', join(dir, 'people.ldif')], { stdio: 'pipe' });
  const [plain, tls] = await freePorts(2);
  const s = { dir, ca, plain: `ldap://127.0.0.1:${plain}`, tls: `ldaps://127.0.0.1:${tls}`, port: plain };
  s.start = async () => {
    s.child = spawn(join(dir, 'slapd'), ['-d', '0', '-f', join(dir, 'slapd.conf'), '-h', `${s.plain}/ ${s.tls}/`], { stdio: 'ignore' });
    await until('slapd to listen', () => new Promise((ok) => {
      const c = connect(plain, '127.0.0.1', () => { c.destroy(); ok(true); });
      c.on('error', () => ok(false));
    }));
  };
  s.stop = () => new Promise((ok) => {
    if (s.child.exitCode != null || s.child.signalCode) return ok();
    s.child.once('exit', ok);
    s.child.kill('SIGTERM');
    setTimeout(() => s.child.kill('SIGKILL'), 10000).unref();
  });
  s.remove = async () => { await s.stop(); rmSync(dir, { recursive: true, force: true }); };
  await s.start();
  return s;
}
