/** A code without the zeros behind: what lies below it starts with it (GB/T 2260: 4, 6, 9 or 12 digits). */
export const areaPrefix = (code: string): string => {
  for (const n of [4, 6, 9]) if (/^0*$/.test(code.slice(n))) return code.slice(0, n)
  return code
}
