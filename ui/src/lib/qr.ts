// QR codes (ISO/IEC 18004:2015), byte mode, error level M, versions 1–10: up to 213 bytes, enough for an address.
const CAPACITY = [14, 26, 42, 62, 84, 106, 122, 152, 180, 213] // table 7, bytes at M
const BLOCKS: [ec: number, ...[n: number, data: number][]][] = [ // table 9, level M: codewords of correction a block, blocks
  [10, [1, 16]], [16, [1, 28]], [26, [1, 44]], [18, [2, 32]], [24, [2, 43]], [16, [4, 27]], [18, [4, 31]], [22, [2, 38], [2, 39]], [22, [3, 36], [2, 37]], [26, [4, 43], [1, 44]],
]
const ALIGN = [[], [6, 18], [6, 22], [6, 26], [6, 30], [6, 34], [6, 22, 38], [6, 24, 42], [6, 26, 46], [6, 28, 50]] // annex E

const EXP = new Uint8Array(512)
const LOG = new Uint8Array(256)
for (let i = 0, x = 1; i < 255; i++) {
  EXP[i] = EXP[i + 255] = x
  LOG[x] = i
  x = (x << 1) ^ (x & 128 ? 0x11d : 0)
}

function correction(data: number[], n: number): number[] {
  let gen = [1]
  for (let i = 0; i < n; i++) {
    const next = new Array<number>(gen.length + 1).fill(0)
    gen.forEach((g, k) => {
      next[k] ^= g
      next[k + 1] ^= g ? EXP[LOG[g] + i] : 0
    })
    gen = next
  }
  const rest = [...data, ...new Array<number>(n).fill(0)]
  for (let i = 0; i < data.length; i++) {
    const f = rest[i]
    if (f) gen.forEach((g, k) => (rest[i + k] ^= g ? EXP[LOG[g] + LOG[f]] : 0))
  }
  return rest.slice(data.length)
}

function codewords(bytes: Uint8Array, version: number): number[] {
  const [ec, ...groups] = BLOCKS[version - 1]
  const total = groups.reduce((n, [count, size]) => n + count * size, 0)
  const bits: number[] = []
  const put = (v: number, n: number) => { for (let i = n - 1; i >= 0; i--) bits.push((v >> i) & 1) }
  put(4, 4)
  put(bytes.length, version < 10 ? 8 : 16)
  bytes.forEach((b) => put(b, 8))
  put(0, Math.min(4, total * 8 - bits.length))
  while (bits.length % 8) bits.push(0)
  const data: number[] = []
  for (let i = 0; i < bits.length; i += 8) data.push(parseInt(bits.slice(i, i + 8).join(''), 2))
  for (let pad = 0xec; data.length < total; pad ^= 0xec ^ 0x11) data.push(pad)
  const blocks: number[][] = []
  let at = 0
  for (const [count, size] of groups) for (let i = 0; i < count; i++) blocks.push(data.slice(at, (at += size)))
  const fix = blocks.map((b) => correction(b, ec))
  const out: number[] = []
  for (let i = 0; i < Math.max(...blocks.map((b) => b.length)); i++) for (const b of blocks) if (i < b.length) out.push(b[i])
  for (let i = 0; i < ec; i++) for (const b of fix) out.push(b[i])
  return out
}

type Grid = (0 | 1 | -1)[][] // -1: not yet decided

function frame(version: number): Grid {
  const n = 17 + 4 * version
  const g: Grid = Array.from({ length: n }, () => new Array(n).fill(-1))
  const finder = (y: number, x: number) => {
    for (let dy = -1; dy <= 7; dy++)
      for (let dx = -1; dx <= 7; dx++) {
        if (y + dy < 0 || x + dx < 0 || y + dy >= n || x + dx >= n) continue
        const ring = Math.max(Math.abs(dy - 3), Math.abs(dx - 3))
        g[y + dy][x + dx] = ring === 2 || ring > 3 ? 0 : 1
      }
  }
  finder(0, 0)
  finder(0, n - 7)
  finder(n - 7, 0)
  for (const y of ALIGN[version - 1])
    for (const x of ALIGN[version - 1]) {
      if (g[y][x] !== -1 && (y < 9 || y > n - 10) && (x < 9 || x > n - 10)) continue
      for (let dy = -2; dy <= 2; dy++) for (let dx = -2; dx <= 2; dx++) g[y + dy][x + dx] = Math.max(Math.abs(dy), Math.abs(dx)) === 1 ? 0 : 1
    }
  for (let i = 8; i < n - 8; i++) {
    if (g[6][i] === -1) g[6][i] = i % 2 ? 0 : 1
    if (g[i][6] === -1) g[i][6] = i % 2 ? 0 : 1
  }
  g[n - 8][8] = 1
  information(g, 0) // keeps the places
  if (version >= 7) {
    let r = version
    for (let i = 0; i < 12; i++) r = (r << 1) ^ ((r >> 11) * 0x1f25)
    const bits = (version << 12) | r
    for (let i = 0; i < 18; i++) {
      const b = ((bits >> i) & 1) as 0 | 1
      g[Math.floor(i / 3)][n - 11 + (i % 3)] = b
      g[n - 11 + (i % 3)][Math.floor(i / 3)] = b
    }
  }
  return g
}

function information(g: Grid, mask: number) {
  const n = g.length
  const data = mask // level M is 00
  let r = data
  for (let i = 0; i < 10; i++) r = (r << 1) ^ ((r >> 9) * 0x537)
  const bits = ((data << 10) | r) ^ 0x5412
  const bit = (i: number) => ((bits >> i) & 1) as 0 | 1
  for (let i = 0; i <= 5; i++) g[i][8] = bit(i)
  g[7][8] = bit(6)
  g[8][8] = bit(7)
  g[8][7] = bit(8)
  for (let i = 9; i < 15; i++) g[8][14 - i] = bit(i)
  for (let i = 0; i < 8; i++) g[8][n - 1 - i] = bit(i)
  for (let i = 8; i < 15; i++) g[n - 15 + i][8] = bit(i)
}

const MASK: ((y: number, x: number) => boolean)[] = [
  (y, x) => (y + x) % 2 === 0, (y) => y % 2 === 0, (_, x) => x % 3 === 0, (y, x) => (y + x) % 3 === 0,
  (y, x) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2 === 0, (y, x) => ((y * x) % 2) + ((y * x) % 3) === 0,
  (y, x) => (((y * x) % 2) + ((y * x) % 3)) % 2 === 0, (y, x) => (((y + x) % 2) + ((y * x) % 3)) % 2 === 0,
]

function fill(empty: Grid, words: number[], mask: number): Grid {
  const g = empty.map((r) => [...r])
  const n = g.length
  let i = 0
  for (let right = n - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5
    for (let k = 0; k < n; k++) {
      const y = ((right + 1) & 2) === 0 ? n - 1 - k : k
      for (const x of [right, right - 1]) {
        if (empty[y][x] !== -1) continue
        const b = i < words.length * 8 ? (words[i >> 3] >> (7 - (i & 7))) & 1 : 0
        i++
        g[y][x] = (b ^ (MASK[mask](y, x) ? 1 : 0)) as 0 | 1
      }
    }
  }
  information(g, mask)
  return g
}

/** How hard a grid is to read (clause 7.8.3): long runs, squares, finder look-alikes, too much of one colour. */
function penalty(g: Grid): number {
  const n = g.length
  let sum = 0
  const line = (at: (i: number) => number) => {
    let run = 1
    const s: number[] = [at(0)]
    for (let i = 1; i < n; i++) {
      s.push(at(i))
      if (at(i) === at(i - 1)) {
        run++
        if (run === 5) sum += 3
        else if (run > 5) sum++
      } else run = 1
    }
    const text = s.join('')
    for (const look of ['10111010000', '00001011101']) for (let p = text.indexOf(look); p >= 0; p = text.indexOf(look, p + 1)) sum += 40
  }
  let dark = 0
  for (let y = 0; y < n; y++) {
    line((i) => g[y][i])
    line((i) => g[i][y])
    for (let x = 0; x < n; x++) {
      dark += g[y][x]
      if (y && x && g[y][x] === g[y - 1][x] && g[y][x] === g[y][x - 1] && g[y][x] === g[y - 1][x - 1]) sum += 3
    }
  }
  return sum + 10 * Math.floor(Math.abs((dark * 100) / (n * n) - 50) / 5)
}

/** The dark modules, row by row; null if the text is too long. */
export function qr(text: string): boolean[][] | null {
  const bytes = new TextEncoder().encode(text)
  const version = CAPACITY.findIndex((c) => bytes.length <= c) + 1
  if (!version) return null
  const empty = frame(version)
  const words = codewords(bytes, version)
  const all = MASK.map((_, m) => fill(empty, words, m))
  const best = all.reduce((a, b) => (penalty(b) < penalty(a) ? b : a))
  return best.map((r) => r.map((b) => b === 1))
}

/** As the path of an SVG whose box is the size plus a quiet zone of four. */
export function qrPath(text: string): { d: string; size: number } | null {
  const g = qr(text)
  if (!g) return null
  let d = ''
  g.forEach((r, y) => r.forEach((b, x) => b && (d += `M${x + 4} ${y + 4}h1v1h-1z`)))
  return { d, size: g.length + 8 }
}
