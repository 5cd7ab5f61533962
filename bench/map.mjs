// The map with many enterprises in Chromium: frames a second while somebody drags and zooms over it, and what tiles cost over HTTP.
//   node bench/map.mjs [ENTERPRISES] [SECONDS]     default 100000 20; prints one JSON object
// Invented enterprises (anlan bench tiles makes the folder), the real server and the real page, 1920 x 1080 and 390 x 844,
// colours by grade. Chromium draws without a graphics card here: with one it is faster.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { chromium } = createRequire(join(root, 'tests', 'package.json'))('playwright-core');
const ROWS = process.argv[2] ?? '100000', SECONDS = Number(process.argv[3] ?? 20);
const anlan = process.env.ANLAN_BIN || join(root, 'build', 'anlan'), dir = mkdtempSync(join(tmpdir(), 'anlan-map-'));
const quantile = (v, q) => v.sort((a, b) => a - b)[Math.min(v.length - 1, Math.floor(v.length * q))];
const run = (args, input) => {
  const r = spawnSync(anlan, args, { cwd: root, input, encoding: 'utf8' });
  if (r.status !== 0) throw new Error(`${args.join(' ')}: ${r.stderr}${r.stdout}`);
  return r.stdout;
};

async function look(browser, url, size) {
  const context = await browser.newContext({ viewport: size, baseURL: url, locale: 'zh-CN', hasTouch: size.width < 700, isMobile: size.width < 700 });
  const page = await context.newPage(), tiles = [];
  await context.request.post('/api/v1/login', { data: { name: 'mapbench', password: 'a-long-invented-password-1' } });
  page.on('requestfinished', async (r) => /\.mvt/.test(r.url()) && tiles.push({ ms: r.timing().responseEnd, bytes: (await r.sizes().catch(() => null))?.responseBodySize ?? 0 }));
  await page.goto('/map');
  if (size.width < 700) await page.locator('[data-test="map-legend"]').click();
  await page.locator('[data-test="map-by-risk"]').click();
  if (size.width < 700) await page.locator('[data-test="map-legend"]').click();
  await page.waitForTimeout(4000);
  const box = await page.locator('[data-test="map"]').boundingBox();
  const began = tiles.length;
  await page.evaluate(() => {
    window.__frames = [];
    const step = (t) => { window.__frames.push(t); if (window.__frames) requestAnimationFrame(step); };
    requestAnimationFrame(step);
  });
  const x = box.x + box.width * 0.6, y = box.y + box.height / 2, until = Date.now() + SECONDS * 1000, reach = Math.min(box.width, box.height) * 0.3;
  for (let i = 0; Date.now() < until; i++) {
    await page.mouse.move(x, y);
    await page.mouse.down();
    for (let k = 1; k <= 12; k++) await page.mouse.move(x + Math.cos(i * 2.4) * reach * (k / 12), y + Math.sin(i * 2.4) * reach * (k / 12));
    await page.mouse.up();
    if (i % 2) await page.mouse.wheel(0, i % 8 < 4 ? -300 : 300);
    await page.waitForTimeout(120);
  }
  const frames = await page.evaluate(() => window.__frames);
  const gaps = frames.slice(1).map((t, i) => t - frames[i]), took = (frames.at(-1) - frames[0]) / 1000;
  const seen = tiles.slice(began).map((t) => t.ms).filter((v) => v >= 0);
  await context.close();
  return { fps: Math.round((gaps.length / took) * 10) / 10, frame_p50_ms: Math.round(quantile(gaps, 0.5) * 10) / 10, frame_p95_ms: Math.round(quantile(gaps, 0.95) * 10) / 10,
    frame_max_ms: Math.round(Math.max(...gaps)), tiles: seen.length, tile_p50_ms: seen.length ? Math.round(quantile(seen, 0.5)) : null, tile_p99_ms: seen.length ? Math.round(quantile(seen, 0.99)) : null };
}

let server, browser;
try {
  run(['bench', 'tiles', '--dir', dir, '--rows', ROWS, '--views', '5']);
  writeFileSync(join(dir, 'map.json'), JSON.stringify({ bounds: [118.9, 32.9, 119.75, 33.62], areas: [], layers: {} }));
  run(['user', 'add', 'mapbench', '--data', dir, '--role', 'bureau'], 'a-long-invented-password-1\n');
  server = spawn(anlan, ['serve', '--data', dir, '--http', '127.0.0.1:0', '--mqtt', '127.0.0.1:0'], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise((resolve, reject) => {
    let text = '';
    server.stdout.on('data', (d) => { text += d; const m = /Anlan is running:\s+(\S+)/.exec(text); if (m) resolve(m[1]); });
    server.on('exit', () => reject(new Error(`the server ended: ${text}`)));
  });
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--no-first-run'] });
  const result = { enterprises: Number(ROWS), load_average: Math.round(loadavg()[0] * 10) / 10 };
  result.desk = await look(browser, url, { width: 1920, height: 1080 });
  result.phone = await look(browser, url, { width: 390, height: 844 });
  console.log(JSON.stringify(result));
} finally {
  await browser?.close();
  server?.kill('SIGTERM');
  await new Promise((r) => (server ? server.once('exit', r) : r()));
  rmSync(dir, { recursive: true, force: true });
}
