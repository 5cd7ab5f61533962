// One page of A4 with one picture on it: what is needed to hand a map to somebody who asks for a PDF (PDF 1.4, ISO 32000).

const LONG = 841.89 // points, A4
const SHORT = 595.28
const MARGIN = 28

/** A JPEG of w × h pixels, as large as the page lets it be; the page lies if the picture does. */
export function picturePdf(jpeg: Uint8Array, w: number, h: number, title: string): Blob {
  const [pw, ph] = w >= h ? [LONG, SHORT] : [SHORT, LONG]
  const scale = Math.min((pw - 2 * MARGIN) / w, (ph - 2 * MARGIN) / h)
  const [iw, ih] = [w * scale, h * scale]
  const draw = `q ${iw.toFixed(2)} 0 0 ${ih.toFixed(2)} ${((pw - iw) / 2).toFixed(2)} ${((ph - ih) / 2).toFixed(2)} cm /P Do Q`
  const utf16 = [...`\ufeff${title}`].flatMap((c) => c.split('')).map((c) => c.charCodeAt(0).toString(16).padStart(4, '0')).join('')
  const objects: (string | Uint8Array)[][] = [
    ['<< /Type /Catalog /Pages 2 0 R >>'],
    ['<< /Type /Pages /Kids [3 0 R] /Count 1 >>'],
    [`<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${pw} ${ph}] /Resources << /XObject << /P 4 0 R >> >> /Contents 5 0 R >>`],
    [`<< /Type /XObject /Subtype /Image /Width ${w} /Height ${h} /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode /Length ${jpeg.length} >>\nstream\n`, jpeg, '\nendstream'],
    [`<< /Length ${draw.length} >>\nstream\n${draw}\nendstream`],
    [`<< /Title <${utf16}> >>`],
  ]
  const parts: (string | Uint8Array)[] = ['%PDF-1.4\n']
  let at = parts[0].length
  const add = (p: string | Uint8Array) => { parts.push(p); at += p.length } // every text here is ASCII: a character is a byte
  const starts = objects.map((o, i) => {
    const start = at
    add(`${i + 1} 0 obj\n`)
    o.forEach(add)
    add('\nendobj\n')
    return start
  })
  const xref = at
  add(`xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${starts.map((s) => `${String(s).padStart(10, '0')} 00000 n \n`).join('')}`)
  add(`trailer\n<< /Size ${objects.length + 1} /Root 1 0 R /Info 6 0 R >>\nstartxref\n${xref}\n%%EOF\n`)
  return new Blob(parts as BlobPart[], { type: 'application/pdf' })
}
