// The few things of a browser that plain modules touch when they are loaded.
const g = globalThis as Record<string, unknown>
const kept = new Map<string, string>()
g.localStorage ??= { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => kept.set(k, v), removeItem: (k: string) => kept.delete(k) }
g.document ??= { documentElement: {}, title: '', hidden: false, createElement: () => ({}), addEventListener() {} }
if (!('navigator' in globalThis)) g.navigator = { language: 'zh-CN' }
g.matchMedia ??= () => ({ matches: false, addEventListener() {} })
g.addEventListener ??= () => {}
const every = setInterval
g.setInterval = (f: () => void, ms: number) => every(f, ms).unref() // what looks at the server now and then keeps no test from ending
