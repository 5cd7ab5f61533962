// The pages themselves, for when there is no signal: the files of this build, kept when a person takes work to the site. With signal
// a page always comes from the server first; data never pass here (offline/carry.ts).
const FILES = [] // filled in by the build
const CACHE = 'anlan-pages-' + '0' // filled in by the build

const PATIENCE = 5000 // ms: a line that is dead does not say so; the page is here

async function opened(request) {
  const page = await caches.match('/index.html')
  const limit = new AbortController()
  const timer = setTimeout(() => page && limit.abort(), PATIENCE)
  return fetch(request, { signal: limit.signal }).catch(() => page ?? Response.error()).finally(() => clearTimeout(timer))
}

self.addEventListener('install', (e) => e.waitUntil(caches.open(CACHE).then((c) => c.addAll(FILES)).then(() => self.skipWaiting())))
self.addEventListener('activate', (e) =>
  e.waitUntil(
    caches.keys()
      .then((all) => Promise.all(all.filter((k) => k !== CACHE).map((k) => caches.delete(k))))
      .then(() => self.clients.claim()),
  ),
)
self.addEventListener('fetch', (e) => {
  const u = new URL(e.request.url)
  if (e.request.method !== 'GET' || u.origin !== location.origin || u.pathname.startsWith('/api/')) return
  if (e.request.mode === 'navigate') e.respondWith(opened(e.request))
  else if (FILES.includes(u.pathname)) e.respondWith(caches.match(e.request).then((hit) => hit || fetch(e.request)))
})
