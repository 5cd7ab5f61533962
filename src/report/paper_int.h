// Inside report/: what the files of paper share.
#pragma once

#include <cairo.h>
#include <pango/pangocairo.h>

#include "base/buf.h"
#include "report/paper.h"

struct paper {
	struct arena *arena;
	struct buf out;
	cairo_surface_t *surface;
	cairo_t *cr;
	struct str watermark;
	bool en;
	bool empty;         // nothing on this page yet
	int page;           // pages that are done
	int pictures;       // of the running row of pictures
	double y;           // where the next thing stands
};

PangoLayout *paper_layout(struct paper *p, struct str s, double size, bool bold, double width); // points; the caller unrefs
// ---- picture.c ---------------------------------------------------------------------------------
// A surface that is drawn as the picture: a JPEG goes into the PDF as it is. NULL if it is none that can be drawn.
cairo_surface_t *picture_surface(struct str bytes, struct str mime);
void draw_code(cairo_t *cr, struct str text, double x, double y, double size); // QR, error correction M
