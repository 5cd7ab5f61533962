// Why the data of a point are in doubt, in one line.
import { t, tx } from '../i18n'
import type { Doubt } from './types'

export const doubtText = (d: Doubt) => `${t('doubt')}: ${d.reasons.map((r) => tx('doubt', r)).join(', ')}`
