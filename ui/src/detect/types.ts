// What /api/v1/detect answers (openapi: Detect, Units, Unit, UnitTrial).
export interface EarlyRule { rule: string; label?: string; within_min?: number; points: number; open: number; hits: number; missed: number; prevented: number; lead_median_min?: number }
export interface Detect { early: { points: number; rules: EarlyRule[]; open: number; hits: number; missed: number; prevented: number; lead_median_min?: number } }
export interface Cause { point: number; code?: string; name?: string; share: number }
export type Scored = [at: string, score: number, flag: boolean]
export interface Live { state: 'waits' | 'runs' | 'no_version' | 'changed'; version: number; rows: number; gaps: number; flagged: number; at?: string; score?: number; flag?: boolean; causes?: Cause[]; since?: string; recent?: Scored[] }
export interface UnitState { id: number; number: string; title: string; state: string; state_label?: string; enterprise: number; version: number; alerts_open: number; alerts_confirmed: number; alerts_false: number; live?: Live }
export interface Version { version: number; at: string; by: string; from: string; to: string; interval_s: number; rows: number; gaps: number; checksum: string; summary: { used: number; columns: { point: number; judged: string }[]; spectrum: number[] } }
export interface Unit extends UnitState { points: { point: number; code?: string; name?: string }[]; wrong?: string; versions: Version[] }
export interface Trial { version: number; from: string; to: string; rows: number; gaps: number; flagged: number; episodes_total: number; episodes: { from: string; to?: string; peak: number; causes: Cause[] }[]; scores: Scored[] }
export interface Doubt { reasons: ('frozen' | 'impossible' | 'copied' | 'drift')[]; since: string }
