// Files of a form that are still on their way. Who presses "save" while a picture creeps over a bad line must not save the record without it.
import { nextTick, ref } from 'vue'

const going = new Set<Promise<void>>()
/** How many are on their way. */
export const uploading = ref(0)

export async function onTheWay(one: Promise<void>) {
  going.add(one)
  uploading.value = going.size
  try {
    await one
  } finally {
    going.delete(one)
    uploading.value = going.size
  }
}

/** Resolves when all of them have come to their end; the form then holds them. */
export async function uploadsDone() {
  while (going.size) await Promise.allSettled([...going])
  await nextTick()
}
