// Pages with cairo and Pango. See paper.h.
#include "report/paper.h"

#include <cairo-pdf.h>
#include <fontconfig/fontconfig.h>
#include <math.h>
#include <pango/pangocairo.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/time.h"
#include "report/paper_int.h"

#define MM (72.0 / 25.4)
#define PAGE_W 595.276      // A4
#define PAGE_H 841.89
#define LEFT (28 * MM)      // GB/T 9704-2012 5.2.1
#define TOP (37 * MM)
#define WIDTH (156 * MM)
#define BOTTOM (TOP + 225 * MM)
#define BODY 16.0           // size 3
#define TITLE 22.0          // size 2
#define SMALL 12.0
#define PITCH (225 * MM / 22) // 22 lines a page
#define CELL_PAD 4.0
#define CODE_SIZE 72.0

static char families[512] = "FangSong,STFangsong,FangSong_GB2312,Noto Serif CJK SC,Source Han Serif SC,SimSun,WenQuanYi Zen Hei";

bool paper_fonts(const char *list)
{
	if (list && *list)
		snprintf(families, sizeof families, "%s,Noto Serif CJK SC,WenQuanYi Zen Hei", list);
	FcPattern *want = FcPatternCreate();
	FcCharSet *chars = FcCharSetCreate();
	FcCharSetAddChar(chars, 0x5b89); // 安
	FcPatternAddCharSet(want, FC_CHARSET, chars);
	FcObjectSet *what = FcObjectSetBuild(FC_FAMILY, (char *)NULL);
	FcFontSet *found = FcFontList(NULL, want, what);
	bool ok = found && found->nfont > 0;
	if (found)
		FcFontSetDestroy(found);
	FcObjectSetDestroy(what);
	FcCharSetDestroy(chars);
	FcPatternDestroy(want);
	return ok;
}

void paper_close(void)
{
	pango_cairo_font_map_set_default(NULL);
	cairo_debug_reset_static_data();
	FcFini();
}

// ---- pages -------------------------------------------------------------------------------------
static cairo_status_t take_bytes(void *arg, const unsigned char *p, unsigned n)
{
	struct paper *paper = arg;
	buf_add(&paper->out, p, n);
	return buf_ok(&paper->out) ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static void set_dates(struct paper *p, const struct paper_options *o)
{
	char text[TIME_TEXT_MAX + 1];
	text[time_text(o->at - o->at % US_PER_S, text)] = 0;
	cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_CREATE_DATE, text);
	cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_MOD_DATE, text);
	cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_TITLE, arena_cstr(p->arena, o->title));
	cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_CREATOR, "Anlan");
}

static void draw_watermark(struct paper *p)
{
	if (!p->watermark.n)
		return;
	PangoLayout *l = paper_layout(p, p->watermark, 48, true, PAGE_W);
	int w, h;
	pango_layout_get_pixel_size(l, &w, &h);
	cairo_save(p->cr);
	cairo_set_source_rgb(p->cr, 0.88, 0.88, 0.88);
	cairo_translate(p->cr, PAGE_W / 2, PAGE_H / 2);
	cairo_rotate(p->cr, -M_PI / 5);
	cairo_move_to(p->cr, -w / 2.0, -h / 2.0);
	pango_cairo_show_layout(p->cr, l);
	cairo_restore(p->cr);
	g_object_unref(l);
}

struct paper *paper_new(const struct paper_options *o)
{
	struct arena *a = arena_new(64 << 10);
	struct paper *p = arena_one(a, struct paper);
	p->arena = a;
	p->en = o->en;
	p->watermark = arena_str(a, o->watermark);
	buf_init(&p->out, LIMIT_FILE_BYTES);
	p->surface = cairo_pdf_surface_create_for_stream(take_bytes, p, PAGE_W, PAGE_H);
	cairo_pdf_surface_restrict_to_version(p->surface, CAIRO_PDF_VERSION_1_5);
	set_dates(p, o);
	p->cr = cairo_create(p->surface);
	p->y = TOP;
	p->empty = true;
	draw_watermark(p);
	return p;
}

// "— 1 —", size 4, 7 mm below the text (GB/T 9704-2012 7.5).
static void draw_footer(struct paper *p)
{
	char text[32];
	snprintf(text, sizeof text, "— %d —", p->page + 1);
	PangoLayout *l = paper_layout(p, str_of(text), 14, false, WIDTH);
	pango_layout_set_alignment(l, PANGO_ALIGN_CENTER);
	cairo_move_to(p->cr, LEFT, BOTTOM + 7 * MM);
	pango_cairo_show_layout(p->cr, l);
	g_object_unref(l);
}

static void end_page(struct paper *p)
{
	draw_footer(p);
	cairo_show_page(p->cr);
	p->page++;
}

static void next_page(struct paper *p)
{
	end_page(p);
	p->y = TOP;
	p->empty = true;
	draw_watermark(p);
}

void paper_page(struct paper *p)
{
	if (!p->empty)
		next_page(p);
}

// Room for that height on this page, or else the next one.
static void need_room(struct paper *p, double height)
{
	if (p->y + height > BOTTOM + 0.1 && !p->empty)
		next_page(p);
}

int paper_pages(const struct paper *p) { return p->page + !p->empty; }

// ---- text --------------------------------------------------------------------------------------
PangoLayout *paper_layout(struct paper *p, struct str s, double size, bool bold, double width)
{
	PangoLayout *l = pango_cairo_create_layout(p->cr);
	PangoFontDescription *d = pango_font_description_new();
	pango_font_description_set_family(d, families);
	pango_font_description_set_absolute_size(d, size * PANGO_SCALE);
	pango_font_description_set_weight(d, bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
	pango_context_set_language(pango_layout_get_context(l), pango_language_from_string(p->en ? "en" : "zh-cn"));
	pango_layout_set_font_description(l, d);
	pango_font_description_free(d);
	pango_layout_set_width(l, (int)(width * PANGO_SCALE));
	pango_layout_set_wrap(l, PANGO_WRAP_WORD_CHAR);
	pango_layout_set_text(l, s.n ? s.p : "", (int)s.n);
	return l;
}

// Line by line on a fixed pitch; pages break between lines.
static void put_lines(struct paper *p, PangoLayout *l, double pitch)
{
	PangoLayoutIter *i = pango_layout_get_iter(l);
	do {
		PangoRectangle r;
		PangoLayoutLine *line = pango_layout_iter_get_line_readonly(i);
		pango_layout_iter_get_line_extents(i, NULL, &r);
		need_room(p, pitch);
		cairo_move_to(p->cr, LEFT + (double)r.x / PANGO_SCALE, p->y + pitch * 0.75);
		pango_cairo_show_layout_line(p->cr, line);
		p->y += pitch;
		p->empty = false;
	} while (pango_layout_iter_next_line(i));
	pango_layout_iter_free(i);
	g_object_unref(l);
}

static void put_centred(struct paper *p, struct str s, double size, bool bold, double pitch)
{
	PangoLayout *l = paper_layout(p, s, size, bold, WIDTH);
	pango_layout_set_alignment(l, PANGO_ALIGN_CENTER);
	put_lines(p, l, pitch);
}

void paper_head(struct paper *p, struct str s)
{
	cairo_set_source_rgb(p->cr, 0.8, 0, 0);
	put_centred(p, s, 26, true, 40);
	cairo_set_line_width(p->cr, 1.5);
	cairo_move_to(p->cr, LEFT, p->y + 4);
	cairo_line_to(p->cr, LEFT + WIDTH, p->y + 4);
	cairo_stroke(p->cr);
	cairo_set_source_rgb(p->cr, 0, 0, 0);
	p->y += PITCH;
}

void paper_number(struct paper *p, struct str s) { put_centred(p, s, BODY, false, PITCH); }

void paper_title(struct paper *p, struct str s)
{
	put_centred(p, s, TITLE, true, PITCH * 1.2);
	p->y += PITCH * 0.6;
}

void paper_heading(struct paper *p, struct str s)
{
	need_room(p, 3 * PITCH); // a heading does not stand alone at the foot
	put_lines(p, paper_layout(p, s, BODY, true, WIDTH), PITCH);
}

static void put_paragraph(struct paper *p, struct str s, bool indent)
{
	PangoLayout *l = paper_layout(p, s, BODY, false, WIDTH);
	pango_layout_set_justify(l, TRUE);
	if (indent)
		pango_layout_set_indent(l, (int)(2 * BODY * PANGO_SCALE));
	put_lines(p, l, PITCH);
}

void paper_text(struct paper *p, struct str s, bool indent)
{
	while (s.n) {
		struct str one = str_cut(&s, '\n');
		put_paragraph(p, str_trim(one), indent);
	}
}

void paper_note(struct paper *p, struct str s) { put_lines(p, paper_layout(p, s, SMALL, false, WIDTH), SMALL * 1.6); }

void paper_right(struct paper *p, struct str s)
{
	PangoLayout *l = paper_layout(p, s, BODY, false, WIDTH - 2 * BODY);
	pango_layout_set_alignment(l, PANGO_ALIGN_RIGHT);
	put_lines(p, l, PITCH);
}

void paper_space(struct paper *p, double lines)
{
	p->y = fmin(p->y + lines * PITCH, BOTTOM);
}

// ---- tables ------------------------------------------------------------------------------------
struct table_row {
	PangoLayout **cells;
	double height;
};

static struct table_row make_row(struct paper *p, const struct paper_table *t, const struct str *cells, bool head, double total)
{
	struct table_row r = { .cells = arena_many(p->arena, t->columns, PangoLayout *), .height = SMALL * 1.6 + 2 * CELL_PAD };
	for (size_t i = 0; i < t->columns; i++) {
		int h;
		double w = WIDTH * t->widths[i] / total - 2 * CELL_PAD;
		r.cells[i] = paper_layout(p, cells[i], SMALL, head || (i == 0 && t->first_bold), w);
		pango_layout_set_spacing(r.cells[i], 2 * PANGO_SCALE);
		pango_layout_set_height(r.cells[i], (int)((BOTTOM - TOP) * 0.6 * PANGO_SCALE));
		pango_layout_set_ellipsize(r.cells[i], PANGO_ELLIPSIZE_END);
		pango_layout_get_pixel_size(r.cells[i], NULL, &h);
		r.height = fmax(r.height, h + 2 * CELL_PAD);
	}
	return r;
}

static void draw_row(struct paper *p, const struct paper_table *t, const struct table_row *r, double total)
{
	double x = LEFT;
	cairo_set_line_width(p->cr, 0.6);
	for (size_t i = 0; i < t->columns; i++) {
		double w = WIDTH * t->widths[i] / total;
		cairo_rectangle(p->cr, x, p->y, w, r->height);
		cairo_stroke(p->cr);
		cairo_move_to(p->cr, x + CELL_PAD, p->y + CELL_PAD);
		pango_cairo_show_layout(p->cr, r->cells[i]);
		x += w;
	}
	p->y += r->height;
	p->empty = false;
}

static void free_row(const struct paper_table *t, struct table_row *r)
{
	for (size_t i = 0; i < t->columns; i++)
		g_object_unref(r->cells[i]);
}

void paper_put_table(struct paper *p, const struct paper_table *t)
{
	double total = 0;
	struct table_row head = { .height = 0 };
	for (size_t i = 0; i < t->columns; i++)
		total += t->widths[i];
	if (t->head)
		head = make_row(p, t, t->head, true, total);
	for (size_t k = 0; k < t->rows; k++) {
		struct table_row r = make_row(p, t, t->cells + k * t->columns, false, total);
		int page = p->page;
		need_room(p, r.height + (k == 0 ? head.height : 0));
		if (t->head && (k == 0 || p->page != page))
			draw_row(p, t, &head, total);
		draw_row(p, t, &r, total);
		free_row(t, &r);
	}
	if (t->head && t->rows == 0) {
		need_room(p, head.height);
		draw_row(p, t, &head, total);
	}
	if (t->head)
		free_row(t, &head);
	p->y += PITCH / 2;
}

// ---- pictures ----------------------------------------------------------------------------------
#define PICTURE_W (WIDTH / 2 - 6)
#define PICTURE_H 170.0

void paper_picture(struct paper *p, struct str bytes, struct str mime, struct str caption)
{
	cairo_surface_t *s = picture_surface(bytes, mime);
	double x = LEFT + (p->pictures % 2) * (PICTURE_W + 12), scale;
	if (p->pictures % 2 == 0)
		need_room(p, PICTURE_H + 40);
	if (s) {
		int w = cairo_image_surface_get_width(s), h = cairo_image_surface_get_height(s);
		scale = fmin(PICTURE_W / w, PICTURE_H / h);
		cairo_save(p->cr);
		cairo_translate(p->cr, x + (PICTURE_W - w * scale) / 2, p->y + (PICTURE_H - h * scale) / 2);
		cairo_scale(p->cr, scale, scale);
		cairo_set_source_surface(p->cr, s, 0, 0);
		cairo_paint(p->cr);
		cairo_restore(p->cr);
		cairo_surface_destroy(s);
	}
	PangoLayout *l = paper_layout(p, caption, SMALL, false, PICTURE_W);
	pango_layout_set_alignment(l, PANGO_ALIGN_CENTER);
	pango_layout_set_height(l, -2);
	pango_layout_set_ellipsize(l, PANGO_ELLIPSIZE_END);
	cairo_move_to(p->cr, x, p->y + PICTURE_H + 4);
	pango_cairo_show_layout(p->cr, l);
	g_object_unref(l);
	p->empty = false;
	if (++p->pictures % 2 == 0)
		p->y += PICTURE_H + 44;
}

void paper_pictures_end(struct paper *p)
{
	if (p->pictures % 2)
		p->y += PICTURE_H + 44;
	p->pictures = 0;
}

// ---- the end -----------------------------------------------------------------------------------
void paper_code(struct paper *p, struct str url, const struct str *lines, size_t n)
{
	need_room(p, CODE_SIZE + 12);
	double y = BOTTOM - CODE_SIZE;
	draw_code(p->cr, url, LEFT, y, CODE_SIZE);
	for (size_t i = 0; i < n; i++) {
		PangoLayout *l = paper_layout(p, lines[i], 9, false, WIDTH - CODE_SIZE - 10);
		cairo_move_to(p->cr, LEFT + CODE_SIZE + 10, y + 4 + 14 * (double)i);
		pango_cairo_show_layout(p->cr, l);
		g_object_unref(l);
	}
	p->empty = false;
}

enum err paper_end(struct paper *p, struct arena *a, struct str *ret)
{
	end_page(p);
	cairo_status_t status = cairo_status(p->cr);
	cairo_destroy(p->cr);
	cairo_surface_finish(p->surface);
	if (status == CAIRO_STATUS_SUCCESS)
		status = cairo_surface_status(p->surface);
	cairo_surface_destroy(p->surface);
	enum err err = !buf_ok(&p->out) ? ERR_TOO_LARGE : status == CAIRO_STATUS_SUCCESS ? OK : ERR_IO;
	if (err)
		log_error("report", "the drawing failed: %s", cairo_status_to_string(status));
	else
		*ret = arena_str(a, buf_str(&p->out));
	buf_free(&p->out);
	arena_free(p->arena);
	return err;
}
