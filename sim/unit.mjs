// What a person of the bureau would do on the page of early warnings: makes a unit model of the invented plant's reactor section, lets it
// learn the hours that the simulator has brought along, and puts it in force. Through the API, as the demo's one-click role; once.
//   node sim/unit.mjs http://127.0.0.1:8080
const base = process.argv[2] ?? 'http://127.0.0.1:8080'
const CODES = ['XMEAS07', 'XMEAS08', 'XMEAS09', 'XMEAS11', 'XMEAS12', 'XMEAS13', 'XMEAS15', 'XMEAS18', 'XMEAS21', 'XMEAS22'].map((x) => `C02-${x}`)
const INTERVAL_S = 20, ROWS = 400, PATIENCE_MS = 300_000
const began = Date.now()
const sleep = (ms) => new Promise((done) => setTimeout(done, ms))
let token

async function call(method, path, body) {
  const headers = { ...(token && { Authorization: `Bearer ${token}` }), ...(body && { 'Content-Type': 'application/json' }) }
  const r = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) })
  const text = await r.text()
  if (!r.ok) throw new Error(`${method} ${path}: ${r.status} ${text}`)
  return text ? JSON.parse(text) : {}
}

// Tries until it does not fail any more; the last error when patience is over.
async function until(fn) {
  for (;;) {
    try {
      const v = await fn()
      if (v) return v
    } catch (e) { if (Date.now() - began > PATIENCE_MS) throw e }
    if (Date.now() - began > PATIENCE_MS) throw new Error('nothing to learn from came in five minutes')
    await sleep(2000)
  }
}

token = (await until(() => call('POST', '/api/v1/demo/login', { role: 'bureau' }))).token
const { total } = await call('GET', '/api/v1/records/unit_model?size=1')
if (!total) {
  const to = new Date(began - 60_000), from = new Date(to - ROWS * INTERVAL_S * 1000)
  const first = await until(async () => { // its history is there up to now
    const s = await call('GET', `/api/v1/points/${CODES[0]}/series?from=${from.toISOString()}&to=${to.toISOString()}&step=60s`)
    return s.items.length * 60 >= ROWS * INTERVAL_S * 0.95 && call('GET', `/api/v1/points/${CODES[0]}`)
  })
  const points = await Promise.all(CODES.map(async (c) => (await call('GET', `/api/v1/points/${c}`)).id))
  const unit = await call('POST', '/api/v1/records/unit_model', {
    name: '反应工段（虚构）', enterprise: first.enterprise?.id ?? first.enterprise, points, interval_s: INTERVAL_S, says: 'hint',
    learn_from: from.toISOString(), learn_to: to.toISOString(), note: '演示：学习仿真器带来的平稳运行；TEP 故障重放时给出异常分值和贡献最大的测点。',
  })
  await call('POST', `/api/v1/detect/units/${unit.id}/learn`, {})
  await call('POST', `/api/v1/records/unit_model/${unit.id}/moves/start`, {})
  console.log(`unit model ${unit.number} is in force`)
}
await call('POST', '/api/v1/logout', {}).catch(() => {})
