// Pictures and codes on paper. The bytes are a stranger's: sizes are read with every length checked, and what is too large
// to be decoded is not.
#include <qrencode.h>

#include "base/base.h"
#include "report/paper_int.h"

#define PIXELS_MAX (24u << 20) // of a PNG, which is decoded: 96 MB
#define SIDE_MAX 30000

// Width and height from the frame header (SOF) of a JPEG.
static bool jpeg_size(struct str s, int *w, int *h)
{
	const unsigned char *p = (const unsigned char *)s.p;
	for (size_t i = 2; i + 9 < s.n && p[i] == 0xff;) {
		unsigned marker = p[i + 1];
		size_t n = (size_t)p[i + 2] << 8 | p[i + 3];
		if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc) {
			*h = p[i + 5] << 8 | p[i + 6];
			*w = p[i + 7] << 8 | p[i + 8];
			return *w > 0 && *h > 0 && *w <= SIDE_MAX && *h <= SIDE_MAX;
		}
		i += n + 2;
	}
	return false;
}

// Only the shape of the surface counts, its pixels are never looked at: the PDF gets the JPEG itself.
static cairo_surface_t *jpeg_surface(struct str s)
{
	int w, h;
	if (!jpeg_size(s, &w, &h))
		return NULL;
	double scale = 1000.0 / MAX(w, h);
	cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, MAX((int)(w * scale), 1), MAX((int)(h * scale), 1));
	unsigned char *copy = mem_alloc(s.n);
	memcpy(copy, s.p, s.n);
	if (cairo_surface_set_mime_data(surface, CAIRO_MIME_TYPE_JPEG, copy, s.n, mem_free, copy) != CAIRO_STATUS_SUCCESS) {
		mem_free(copy);
		cairo_surface_destroy(surface);
		return NULL;
	}
	return surface;
}

struct bytes {
	struct str left;
};

static cairo_status_t read_bytes(void *arg, unsigned char *to, unsigned n)
{
	struct bytes *b = arg;
	if (b->left.n < n)
		return CAIRO_STATUS_READ_ERROR;
	memcpy(to, b->left.p, n);
	b->left = str_skip(b->left, n);
	return CAIRO_STATUS_SUCCESS;
}

static uint32_t be32(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;
	return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static cairo_surface_t *png_surface(struct str s)
{
	struct bytes b = { s };
	if (s.n < 33)
		return NULL;
	uint64_t w = be32(s.p + 16), h = be32(s.p + 20);
	if (w == 0 || h == 0 || w > SIDE_MAX || h > SIDE_MAX || w * h > PIXELS_MAX)
		return NULL;
	cairo_surface_t *surface = cairo_image_surface_create_from_png_stream(read_bytes, &b);
	if (cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS)
		return surface;
	cairo_surface_destroy(surface);
	return NULL;
}

cairo_surface_t *picture_surface(struct str bytes, struct str mime)
{
	return str_is(mime, "image/jpeg") ? jpeg_surface(bytes) : str_is(mime, "image/png") ? png_surface(bytes) : NULL;
}

void draw_code(cairo_t *cr, struct str text, double x, double y, double size)
{
	QRcode *q = QRcode_encodeData((int)text.n, (const unsigned char *)text.p, 0, QR_ECLEVEL_M);
	if (!q)
		return;
	double cell = size / q->width;
	for (int row = 0; row < q->width; row++)
		for (int col = 0; col < q->width; col++)
			if (q->data[row * q->width + col] & 1)
				cairo_rectangle(cr, x + col * cell, y + row * cell, cell, cell);
	cairo_fill(cr);
	QRcode_free(q);
}
