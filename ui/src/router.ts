// The pages. Only the login and the shell are in the first load; everything else comes when it is opened.
import { createRouter, createWebHistory } from 'vue-router'
import { home, whoAmI } from './use/session'
import { typesReady, used } from './use/types'

export const router = createRouter({
  history: createWebHistory(),
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  routes: [
    { path: '/public', name: 'public', component: () => import('./pages/PublicPage.vue'), meta: { open: true } },
    { path: '/report', name: 'report', component: () => import('./pages/ReportPage.vue'), meta: { open: true } },
    { path: '/login', name: 'login', component: () => import('./pages/LoginPage.vue'), meta: { open: true } },
    {
      path: '/',
      component: () => import('./layout/AppShell.vue'),
      redirect: () => home(),
      children: [
        { path: 'today', name: 'today', component: () => import('./pages/TodayPage.vue') },
        { path: 'map', name: 'map', component: () => import('./pages/MapPage.vue'), meta: { bare: true } },
        { path: 'command/:id(\\d+)?', name: 'command', component: () => import('./pages/CommandPage.vue'), meta: { bare: true } },
        { path: 'alarms/:id(\\d+)?', name: 'alarms', component: () => import('./pages/AlarmsPage.vue') },
        { path: 'alarms/suppressed', name: 'suppressed', component: () => import('./pages/SuppressedPage.vue') },
        { path: 'replay', name: 'replay', component: () => import('./pages/ReplayPage.vue') },
        { path: 'risk/overlay', name: 'overlay', component: () => import('./pages/OverlayPage.vue') },
        { path: 'credit', name: 'credit', component: () => import('./pages/RiskPage.vue') },
        { path: 'risk', name: 'risk', component: () => import('./pages/RiskPage.vue') },
        { path: 'quality', name: 'quality', component: () => import('./pages/QualityPage.vue') },
        { path: 'sensing', name: 'sensing', component: () => import('./pages/SensingPage.vue') },
        { path: 'remote/:id(\\d+)?', name: 'remote', component: () => import('./pages/RemotePage.vue') },
        { path: 'detect/:unit(\\d+)?', name: 'detect', component: () => import('./pages/DetectPage.vue') },
        { path: 'alarms/load', name: 'alarmload', component: () => import('./pages/AlarmLoadPage.vue') },
        { path: 'work', alias: 'duties', name: 'duties', component: () => import('./pages/WorkPage.vue') },
        { path: 'call', name: 'call', component: () => import('./pages/CallPage.vue') },
        { path: 'publications', name: 'publications', component: () => import('./pages/PublicationsPage.vue') },
        { path: 'exam', name: 'exams', component: () => import('./pages/ExamPage.vue') },
        { path: 'study/:id(\\d+)?', name: 'study', component: () => import('./pages/StudyPage.vue') },
        { path: 'outbox', name: 'outbox', component: () => import('./pages/OutboxPage.vue') },
        { path: 'records', name: 'registers', component: () => import('./pages/RegistersPage.vue') },
        { path: 'records/:type', name: 'list', component: () => import('./pages/ListPage.vue') },
        { path: 'records/:type/new', name: 'new', component: () => import('./pages/FormPage.vue') },
        { path: 'records/:type/:id(\\d+)', name: 'record', component: () => import('./pages/RecordPage.vue') },
        { path: 'records/:type/:id(\\d+)/edit', name: 'edit', component: () => import('./pages/FormPage.vue') },
        { path: 'records/:type/import', name: 'import', component: () => import('./pages/ImportPage.vue') },
        { path: 'enterprise/:id(\\d+)', name: 'dossier', component: () => import('./pages/DossierPage.vue') },
        { path: 'indicators', name: 'indicators', component: () => import('./pages/IndicatorsPage.vue') },
        { path: 'indicators/:name', name: 'indicator', component: () => import('./pages/IndicatorPage.vue') },
        { path: 'reports', name: 'reports', component: () => import('./pages/ReportsPage.vue') },
        { path: 'config', name: 'config', component: () => import('./pages/ConfigPage.vue') },
        { path: 'roles', name: 'roles', component: () => import('./pages/RolesPage.vue') },
        { path: 'notify', name: 'notify', component: () => import('./pages/NotifyPage.vue') },
        { path: 'points/:id/trend', name: 'trend', component: () => import('./pages/TrendPage.vue') },
        { path: 'points/:id/tune', name: 'tune', component: () => import('./pages/TunePage.vue') },
        { path: 'devices', name: 'devices', component: () => import('./pages/DevicesPage.vue') },
        { path: 'rules', name: 'rules', component: () => import('./pages/RulesPage.vue') },
        { path: 'calc/:model?', name: 'calc', component: () => import('./pages/CalcPage.vue') },
        { path: 'qra/:id(\\d+)?', name: 'qra', component: () => import('./pages/QraPage.vue') },
        { path: 'audit', name: 'audit', component: () => import('./pages/AuditPage.vue') },
        { path: 'me', name: 'me', component: () => import('./pages/MePage.vue') },
        { path: 'try', name: 'try', component: () => import('./pages/TryPage.vue') },
        { path: 'help', name: 'help', component: () => import('./pages/HelpPage.vue') },
        { path: ':rest(.*)*', name: 'lost', component: () => import('./pages/LostPage.vue') },
      ],
    },
  ],
})

router.beforeEach(async (to) => {
  if (to.name === 'public' || to.name === 'report') return true
  let person = null
  try {
    person = await whoAmI()
  } catch {
    // no network: the login page says so and offers a retry
  }
  if (to.meta.open) return person && to.name === 'login' ? { path: home() } : true
  // "/" has become somebody's home page before anybody was known: after logging in it is decided again
  const start = to.redirectedFrom?.fullPath ?? to.fullPath
  if (!person) return { name: 'login', query: ['/', '/map'].includes(start) ? {} : { back: start } }
  await typesReady()
  if (person.second_factor?.must && to.name !== 'me') return { name: 'me' }
  if (start === '/' && to.path !== home()) return { path: home(), replace: true }
  if (to.params.type) used(String(to.params.type))
  return true
})

// A page that was replaced by a new version of the program: load the new one instead of a blank screen.
router.onError((e, to) => {
  if (/dynamically imported module|Failed to fetch/i.test(String(e))) location.assign(to.fullPath)
})
