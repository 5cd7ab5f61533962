// The pages themselves, for when there is no signal: the files of this build, kept when a person takes work to the site. With signal
// a page always comes from the server first; data never pass here (offline/carry.ts).
const FILES = [] // filled in by the build
const CACHE = 'anlan-pages-' + '0' // filled in by the build

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
  if (e.request.mode === 'navigate') e.respondWith(fetch(e.request).catch(() => caches.match('/index.html')))
  else if (FILES.includes(u.pathname)) e.respondWith(caches.match(e.request).then((hit) => hit || fetch(e.request)))
})
