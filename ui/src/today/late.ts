// What is past its deadline, as GET /late counts it.
import type { Text } from '../api/types'

export interface LateItem { type: string; type_label: Text; state: string; state_label: Text; who: string[]; enterprise: boolean; n: number; oldest: string }
export interface Late { total: number; enterprise: number; items: LateItem[]; areas: { code: string; n: number }[]; enterprises: { id: number; title: string; n: number }[] }
