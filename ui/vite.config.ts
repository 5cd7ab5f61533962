import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { defineConfig, type Plugin } from 'vite'
import vue from '@vitejs/plugin-vue'

// sw.js: the pages without signal. It knows the files of this build (curves are not drawn without signal).
const worker: Plugin = {
  name: 'anlan-worker',
  generateBundle(_options, bundle) {
    const files = ['/index.html', '/anlan.svg', ...Object.keys(bundle).filter((f) => !/index\.html$|charts-/.test(f)).map((f) => '/' + f)]
    const version = createHash('sha256').update(files.join()).digest('hex').slice(0, 12)
    const source = readFileSync(new URL('./src/offline/worker.js', import.meta.url), 'utf8')
      .replace('const FILES = []', `const FILES = ${JSON.stringify(files)}`).replace("'anlan-pages-' + '0'", `'anlan-pages-${version}'`)
    this.emitFile({ type: 'asset', fileName: 'sw.js', source })
  },
}

// The server serves the result as plain files. ANLAN_UI_OUT builds somewhere else than ../build/ui;
// ANLAN_SERVER is where `npm run dev` finds the API.
export default defineConfig({
  plugins: [vue(), worker],
  base: '/',
  build: {
    outDir: process.env.ANLAN_UI_OUT || '../build/ui',
    emptyOutDir: true,
    target: ['chrome87', 'firefox88', 'safari14'],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
    rollupOptions: {
      output: {
        manualChunks(id) {
          if (/node_modules\/(echarts|zrender)\//.test(id)) return 'charts'
          if (/node_modules\/(ol|rbush|quickselect|earcut|pbf|geotiff)\//.test(id)) return 'map'
          if (/node_modules\/(@vue|vue|vue-router)\//.test(id)) return 'vue'
        },
      },
    },
  },
  server: { proxy: { '/api': process.env.ANLAN_SERVER || 'http://127.0.0.1:8080' } },
})
