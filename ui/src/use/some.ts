// A long list, some of it at a time: on a phone nobody rolls through a hundred thousand pixels.
import { computed, ref, watch, type ComputedRef } from 'vue'
import { phone } from './now'

/** step on a phone, and wide on a desk; from the start again when the list is another one. */
export function useSome<T>(list: ComputedRef<T[]>, step = 20, wide = 300, same?: () => unknown) {
  const n = ref(1)
  const size = computed(() => n.value * (phone.value ? step : wide))
  if (same) watch(same, () => (n.value = 1))
  return { some: computed(() => list.value.slice(0, size.value)), left: computed(() => Math.max(0, list.value.length - size.value)), more: () => n.value++ }
}
