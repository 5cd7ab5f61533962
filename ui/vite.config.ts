import { defineConfig } from 'vite'
import vue from '@vitejs/plugin-vue'

// The server serves the result as plain files. ANLAN_UI_OUT builds somewhere else than ../build/ui;
// ANLAN_SERVER is where `npm run dev` finds the API.
export default defineConfig({
  plugins: [vue()],
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
