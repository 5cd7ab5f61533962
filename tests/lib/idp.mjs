// A small single sign-on for tests (OpenID Connect, code flow with PKCE): says who its `user` is to whoever comes, and makes
// whatever token a test asks for.
import { createHash, createHmac, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { createServer } from 'node:http';

const b64 = (x) => Buffer.from(typeof x === 'string' || Buffer.isBuffer(x) ? x : JSON.stringify(x)).toString('base64url');

export class Idp {
  static async start() {
    const i = new Idp();
    i.server = createServer((rq, rs) => i.answer(rq, rs).catch((e) => { rs.statusCode = 500; rs.end(String(e)); }));
    await new Promise((ok) => i.server.listen(0, '127.0.0.1', ok));
    i.issuer = `http://127.0.0.1:${i.server.address().port}/realm`;
    i.client = 'anlan';
    i.secret = 'client secret +/%7';
    i.user = 'zhang';
    i.codes = new Map();
    i.seen = [];
    i.counts = { keys: 0 };
    i.keys = {};
    i.newKey('rs', 'rsa', { modulusLength: 2048 });
    i.newKey('es', 'ec', { namedCurve: 'P-256' });
    i.with = 'rs';
    i.change = (header, claims) => [header, claims];
    return i;
  }

  newKey(kid, type, options) { this.keys[kid] = { kid, type, shown: true, ...generateKeyPairSync(type, options) }; }

  jwks() {
    return Object.values(this.keys).filter((k) => k.shown).map((k) => ({ ...k.publicKey.export({ format: 'jwk' }), kid: k.kid, use: 'sig' }));
  }

  token(nonce) {
    const key = this.keys[this.with], now = Math.floor(Date.now() / 1000);
    const [header, claims] = this.change({ alg: key.type === 'rsa' ? 'RS256' : 'ES256', kid: key.kid, typ: 'JWT' },
      { iss: this.issuer, aud: this.client, sub: 'f:1', exp: now + 300, iat: now, nonce, preferred_username: this.user });
    const input = `${b64(header)}.${b64(claims)}`;
    if (header.alg === 'none') return `${input}.`;
    if (header.alg === 'HS256') // the public key as if it were a secret
      return `${input}.${b64(createHmac('sha256', createPublicKey(key.publicKey.export({ format: 'pem', type: 'spki' })).export({ format: 'pem', type: 'spki' })).update(input).digest())}`;
    return `${input}.${b64(sign('sha256', Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' }))}`;
  }

  async answer(rq, rs) {
    const url = new URL(rq.url, this.issuer);
    let body = '';
    for await (const c of rq) body += c;
    const json = (x, status = 200) => { rs.statusCode = status; rs.setHeader('Content-Type', 'application/json'); rs.end(JSON.stringify(x)); };
    if (url.pathname === '/realm/.well-known/openid-configuration')
      return json({ issuer: this.issuer, authorization_endpoint: `${this.issuer}/auth?realm=county`, token_endpoint: `${this.issuer}/token`,
        jwks_uri: `${this.issuer}/keys`, token_endpoint_auth_methods_supported: ['client_secret_basic'] });
    if (url.pathname === '/realm/keys') { this.counts.keys++; return json({ keys: this.jwks() }); }
    if (url.pathname === '/realm/token') return this.exchange(rq, new URLSearchParams(body), json);
    return json({ error: 'not_found' }, 404);
  }

  // What a person's browser does at the provider: address of the platform to go back to.
  authorize(address) {
    const q = new URL(address).searchParams;
    this.seen.push(Object.fromEntries(q));
    const code = randomBytes(16).toString('hex');
    this.codes.set(code, { challenge: q.get('code_challenge'), nonce: q.get('nonce'), redirect: q.get('redirect_uri') });
    return `${q.get('redirect_uri')}?code=${code}&state=${encodeURIComponent(q.get('state'))}`;
  }

  exchange(rq, form, json) {
    const [name, ...rest] = Buffer.from((rq.headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString().split(':');
    const code = this.codes.get(form.get('code'));
    this.codes.delete(form.get('code')); // once
    const proof = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
    if (decodeURIComponent(name) !== this.client || decodeURIComponent(rest.join(':')) !== this.secret) return json({ error: 'invalid_client' }, 401);
    if (form.get('grant_type') !== 'authorization_code' || !code || code.challenge !== proof || code.redirect !== form.get('redirect_uri'))
      return json({ error: 'invalid_grant' }, 400);
    return json({ access_token: 'x', token_type: 'Bearer', id_token: this.token(code.nonce) });
  }

  stop() { this.server.closeAllConnections?.(); return new Promise((ok) => this.server.close(ok)); }
}
