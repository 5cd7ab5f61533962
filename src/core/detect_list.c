// The watches of points when the site is another one. T_DETECT.
#include "core/detect_int.h"

static struct watch *at(char *v, const struct watch_list *l, size_t i) { return (struct watch *)(v + i * l->size); }

void watch_list_begin(struct watch_list *l, size_t size, size_t most, void *old, size_t nold)
{
	*l = (struct watch_list){ .size = size, .most = most, .old = old, .nold = nold };
}

// The watch of before; several of a point stand together.
static struct watch *find_old(struct watch_list *l, uint32_t point, uint32_t key)
{
	while (l->at < l->nold && at(l->old, l, l->at)->point < point)
		l->at++;
	for (size_t i = l->at; i < l->nold && at(l->old, l, i)->point == point; i++)
		if (at(l->old, l, i)->key == key)
			return at(l->old, l, i);
	return NULL;
}

void *watch_list_put(struct watch_list *l, uint32_t point, uint32_t key, bool *ret_was)
{
	*ret_was = false;
	if (l->n == l->most) {
		l->left++;
		return NULL;
	}
	if (l->n == l->cap)
		l->v = mem_resize(l->v, (l->cap = MAX(l->cap * 2, (size_t)64)) * l->size);
	struct watch *w = at(l->v, l, l->n++), *was = find_old(l, point, key);
	if (was)
		memcpy(w, was, l->size);
	else
		memset(w, 0, l->size);
	w->point = point;
	w->key = key;
	if (was)
		was->through = -1; // taken
	*ret_was = was;
	return w;
}

void *watch_list_gone(struct watch_list *l)
{
	for (; l->nold; l->nold--) {
		struct watch *w = at(l->old, l, l->nold - 1);
		if (w->through >= 0) {
			l->nold--;
			return w;
		}
	}
	return NULL;
}

void watch_list_end(struct detect *d, struct watch_list *l, void *ret_v, size_t *ret_n, size_t *ret_left)
{
	pthread_mutex_lock(&d->mutex);
	memcpy(ret_v, &l->v, sizeof l->v);
	*ret_n = l->n;
	*ret_left = l->left;
	pthread_mutex_unlock(&d->mutex);
	mem_free(l->old);
}
