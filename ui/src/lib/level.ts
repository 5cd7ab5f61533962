// Colours of risk. A colour never stands alone: each has its own shape and its own letter.
import type { Color } from '../api/types'
import { lang } from '../i18n'

export const COLORS: Color[] = ['red', 'orange', 'yellow', 'blue', 'green', 'grey']

/** 0 is worst. */
export function rank(c: string | undefined): number {
  const i = COLORS.indexOf(c as Color)
  return i < 0 ? COLORS.length : i
}

export function worst(list: Iterable<Color>): Color {
  let w: Color = 'grey'
  let seen = false
  for (const c of list) {
    if (c === 'grey') continue // no trustworthy data says nothing about the others
    if (!seen || rank(c) < rank(w)) w = c
    seen = true
  }
  return w
}

interface Look { fill: string; text: string; zh: string; en: string; shape: 'triangle' | 'diamond' | 'square' | 'circle' | 'ring' }
export const LOOK: Record<Color, Look> = {
  red: { fill: '#d32f2f', text: '#fff', zh: '红', en: 'R', shape: 'triangle' },
  orange: { fill: '#e86a00', text: '#fff', zh: '橙', en: 'O', shape: 'diamond' },
  yellow: { fill: '#f2c200', text: '#3b2f00', zh: '黄', en: 'Y', shape: 'square' },
  blue: { fill: '#1f6fe5', text: '#fff', zh: '蓝', en: 'B', shape: 'circle' },
  green: { fill: '#2a9d5c', text: '#fff', zh: '✓', en: '✓', shape: 'circle' },
  grey: { fill: '#7d8796', text: '#fff', zh: '?', en: '?', shape: 'ring' },
}
export const look = (c: string | undefined): Look => LOOK[(c as Color) in LOOK ? (c as Color) : 'grey']
export const letter = (c: string | undefined): string => look(c)[lang.value]
