// What image.c and image_load.c share.
#pragma once

#include "base/pinyin.h"
#include "store/image.h"

#define PENDING_SOON 2000 // changes that wait for a question before the image thread applies them

struct images {
	struct store *store;
	pthread_t thread;
	pthread_mutex_t lock;       // of the list, the changes and the needs
	pthread_cond_t wake;
	bool stop, later;           // later: needs are only noted
	int64_t rows_min;           // IMAGE_ROWS; tests make it small
	struct image *v[IMAGES_MAX];
	size_t n;
};

// Hands what is missing to the image thread.
void images_request(struct images *im, struct image *m, const struct image_need *need);
void image_release(struct images *im, struct image *m);
void image_forget(struct images *im, struct image *m);
void image_drain(struct images *im, struct image *m);
bool image_find_row(const struct image *m, int64_t id, size_t *ret); // where it is, or belongs
void image_reserve(struct image *m, size_t rows);
void image_put_text(struct image_text *text, struct image_text *letters, size_t row, bool fresh, struct str search);
