import { createApp } from 'vue'
import './css/element'
import './css/base.css'
import App from './App.vue'
import { router } from './router'
import { setupSession } from './use/session'
import { startAlarms } from './use/alarms'
import { startDuties } from './use/duties'
import { startSound } from './use/sound'
import './offline/outbox' // before the first question to the server: it may have to be answered from this device

setupSession(() => router.push({ name: 'login', query: { back: router.currentRoute.value.fullPath } }))
startAlarms()
startDuties()
startSound()

createApp(App).use(router).mount('#app')
