// Pictures before they are sent: at most 1600 px, the time and place they were taken at.
import { putRight } from './clock'

const LONGEST = 1600

export interface Shot { blob: Blob; name: string; taken_at?: string; lon?: number; lat?: number }

/** A smaller copy; the picture itself if it is small, or of a kind this browser cannot draw. */
export async function downscale(file: File): Promise<Blob> {
  if (!/^image\/(jpeg|png|webp)$/.test(file.type) || typeof createImageBitmap !== 'function') return file
  const picture = await createImageBitmap(file, { imageOrientation: 'from-image' }).catch(() => null)
  if (!picture) return file
  const scale = LONGEST / Math.max(picture.width, picture.height)
  if (scale >= 1 && file.size < 1024 * 1024) return file
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(picture.width * Math.min(1, scale))
  canvas.height = Math.round(picture.height * Math.min(1, scale))
  canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height)
  picture.close()
  return new Promise((done) => canvas.toBlob((b) => done(b && b.size < file.size ? b : file), 'image/jpeg', 0.85))
}

/** Where this device is, or nothing within five seconds. */
export function place(): Promise<{ lon: number; lat: number } | null> {
  return new Promise((done) => {
    if (!navigator.geolocation) return done(null)
    navigator.geolocation.getCurrentPosition(
      (p) => done({ lon: Number(p.coords.longitude.toFixed(6)), lat: Number(p.coords.latitude.toFixed(6)) }),
      () => done(null),
      { enableHighAccuracy: true, timeout: 5000, maximumAge: 60000 },
    )
  })
}

/** A picture made ready. Its time is that of the file: a camera writes it at the moment of the shot. */
export async function shot(file: File, where: boolean): Promise<Shot> {
  const [blob, at] = await Promise.all([downscale(file), where ? place() : null])
  const name = blob === file ? file.name : file.name.replace(/\.\w+$/, '') + '.jpg'
  return { blob, name: name || 'photo.jpg', taken_at: new Date(putRight(file.lastModified || Date.now())).toISOString(), ...(at ?? {}) }
}

export const sizeText = (n: number) => (n >= 1048576 ? (n / 1048576).toFixed(1) + ' MB' : n >= 1024 ? Math.round(n / 1024) + ' KB' : n + ' B')
