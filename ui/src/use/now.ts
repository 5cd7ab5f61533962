// One clock for every countdown on the page, and whether this is a phone.
import { ref } from 'vue'
import { trueNow } from '../lib/clock'

export const now = ref(trueNow())
setInterval(() => (now.value = trueNow()), 1000)

const narrow = matchMedia('(max-width: 767px)')
export const phone = ref(narrow.matches)
narrow.addEventListener('change', (e) => (phone.value = e.matches))

export const calm = matchMedia('(prefers-reduced-motion: reduce)').matches
