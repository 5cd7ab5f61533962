// What the pages of the sensing network ask for.
import { get, post, type Query } from '../api/http'
import type { Color, Rec } from '../api/types'

export interface Tally { points: number; live: number }
export const DIMENSIONS = ['people', 'equipment', 'process', 'storage', 'logistics', 'environment'] as const
export type Dimension = (typeof DIMENSIONS)[number]
export type Covered = { id: number; title: string; area: string; sector: string; dimensions: number } & Record<Dimension, Tally>
export interface Coverage { items: Covered[]; total: number; dimensions: { name: Dimension; enterprises: number; points: number; live: number }[]; at: string }
export interface Shown { id: number; name: string; unit: string; value: number | null; color: Color }
export interface Risk { type: string; type_label: string; major: boolean; measured: Tally; color: Color; newest?: string; checked?: string; tanks?: Tally; shown: Shown[]; record: Rec }
export interface Risks { items: Risk[]; total: number; major: number; online: number; rate: number | null; tanks: number; tanks_live: number; tanks_rate: number | null; at: string }
export interface Camera { id: number; title: string; enterprise: number; part: string; part_label: string; link: 'unknown' | 'online' | 'offline'; fetched: boolean; position: number[]; metres?: number; still_at?: string; why?: string }
export interface Cameras { items: Camera[]; total: number; online: number; offline: number; unknown: number; m?: number }

export const coverage = (q: Query) => get<Coverage>('/sensing/coverage', q)
export const risks = (q: Query) => get<Risks>('/sensing/risks', q)
export const cameras = (q: Query) => get<Cameras>('/cameras', q)
export const stillOf = (c: Camera) => `/api/v1/cameras/${c.id}/still?at=${encodeURIComponent(c.still_at ?? '')}`
export const askStill = (c: Camera) => post<{ at: string }>(`/cameras/${c.id}/still`)
/** Share in per cent, rounded down: 100 is said of all and of nothing less. */
export const share = (part: number, of: number) => (of ? Math.floor((1000 * part) / of) / 10 : null)
