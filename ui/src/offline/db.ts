// What this device keeps for places without signal, in IndexedDB, sealed with a key that the browser never hands out (AES-GCM,
// not extractable): who copies the files of a lost phone reads nothing. What is kept goes at logout (wipe).
const STORES = ['keys', 'answers', 'outbox', 'files'] as const
export type Store = 'answers' | 'outbox' | 'files'
interface Sealed { iv: Uint8Array<ArrayBuffer>; data: ArrayBuffer; at: number }

/** Browsers offer this only on https (and on the machine itself). */
export const possible = isSecureContext && 'indexedDB' in window && 'serviceWorker' in navigator && !!crypto.subtle

let opened: Promise<IDBDatabase> | null = null
function db(): Promise<IDBDatabase> {
  opened ??= new Promise((ok, no) => {
    const r = indexedDB.open('anlan', 1)
    r.onupgradeneeded = () => STORES.forEach((s) => r.result.createObjectStore(s))
    r.onsuccess = () => ok(r.result)
    r.onerror = () => no(r.error)
  })
  return opened
}
function settle<T>(r: IDBRequest<T>): Promise<T> {
  return new Promise((ok, no) => {
    r.onsuccess = () => ok(r.result)
    r.onerror = () => no(r.error)
  })
}
const read = async <T>(store: string, key: IDBValidKey) => settle<T | undefined>((await db()).transaction(store).objectStore(store).get(key))
/** Resolves when the transaction is on the device, not when it was asked for. */
async function change(store: string, fn: (s: IDBObjectStore) => void): Promise<void> {
  const t = (await db()).transaction(store, 'readwrite', { durability: 'strict' })
  fn(t.objectStore(store))
  return new Promise((ok, no) => {
    t.oncomplete = () => ok()
    t.onabort = t.onerror = () => no(t.error)
  })
}

/** The one key of this device: several may ask at once, the first one put in place is everybody's. */
async function key(): Promise<CryptoKey> {
  const kept = await read<CryptoKey>('keys', 1)
  if (kept) return kept
  const fresh = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
  let mine = fresh
  await change('keys', (s) => {
    const first = s.get(1)
    first.onsuccess = () => (first.result ? (mine = first.result as CryptoKey) : s.put(fresh, 1))
  })
  return mine
}
async function seal(plain: ArrayBuffer): Promise<Sealed> {
  const iv = crypto.getRandomValues(new Uint8Array(12))
  return { iv, data: await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, await key(), plain), at: Date.now() }
}
const unseal = async (s: Sealed) => crypto.subtle.decrypt({ name: 'AES-GCM', iv: s.iv }, await key(), s.data)
const bytes = (v: unknown) => new TextEncoder().encode(JSON.stringify(v)).buffer as ArrayBuffer

export async function keep(store: Store, id: IDBValidKey, value: unknown) {
  const s = await seal(bytes(value))
  await change(store, (o) => o.put(s, id))
}
export async function kept<T>(store: Store, id: IDBValidKey): Promise<{ value: T; at: number } | null> {
  const s = await read<Sealed>(store, id)
  return s ? { value: JSON.parse(new TextDecoder().decode(await unseal(s))) as T, at: s.at } : null
}
/** What a store holds from now on, in one go: what was there before is there until then. */
export async function replaceAll(store: Store, values: Map<string, unknown>) {
  const sealed = await Promise.all([...values].map(async ([id, v]) => [id, await seal(bytes(v))] as const))
  await change(store, (o) => {
    o.clear()
    for (const [id, s] of sealed) o.put(s, id)
  })
}
/** Everything of a store, oldest first. */
export async function everything<T>(store: Store): Promise<T[]> {
  const all = await settle<Sealed[]>((await db()).transaction(store).objectStore(store).getAll())
  const plain = await Promise.all(all.sort((a, b) => a.at - b.at).map(unseal))
  return plain.map((p) => JSON.parse(new TextDecoder().decode(p)) as T)
}
export const drop = (store: Store, id: IDBValidKey) => change(store, (s) => s.delete(id))
export const clear = (store: Store) => change(store, (s) => s.clear())

export async function keepBlob(id: number, blob: Blob) {
  const s = { ...(await seal(await blob.arrayBuffer())), type: blob.type }
  await change('files', (o) => o.put(s, id))
}
export async function keptBlob(id: number): Promise<Blob | null> {
  const s = await read<Sealed & { type: string }>('files', id)
  return s ? new Blob([await unseal(s)], { type: s.type }) : null
}
/** Forgets files that are older than age ms and nobody needs. */
export async function dropOldFiles(age: number, needed: Set<number>, now = Date.now()) {
  const store = (await db()).transaction('files').objectStore('files')
  const [ids, all] = await Promise.all([settle(store.getAllKeys()), settle<Sealed[]>(store.getAll())])
  const old = ids.filter((id, i) => now - all[i].at > age && !needed.has(Number(String(id).replace('about', ''))))
  if (old.length) await change('files', (o) => old.forEach((id) => o.delete(id)))
}

export async function wipe() {
  for (const s of STORES) await change(s, (o) => o.clear())
}
