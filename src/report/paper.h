// Paper: a PDF of A4 pages in the layout of official documents (GB/T 9704-2012: margins 37/35/28/26 mm, title in size 2,
// body in size 3 with 22 lines a page, page numbers with dashes), made with cairo and Pango. It knows text, tables,
// pictures and codes, but no records. The same calls give the same bytes: no clock, no random numbers.
//
// One thread a paper. Texts are UTF-8 and are not kept.
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct paper;

struct paper_options {
	struct str title;       // of the file
	int64_t at;             // us, the date in the file
	struct str watermark;   // across each page, or empty
	bool en;
};

// Families to be looked for, first come first: "FangSong,Noto Serif CJK SC"; for titles too. Before threads; NULL or empty
// keeps what is there. False if none of them, nor the system's, can show Chinese.
bool paper_fonts(const char *families);

void paper_close(void); // forgets fonts, at the end of the process

struct paper *paper_new(const struct paper_options *o);
void paper_head(struct paper *p, struct str s);                 // issuing office, red, with the line below
void paper_number(struct paper *p, struct str s);               // document number, centred
void paper_title(struct paper *p, struct str s);                // centred; moves the following text down
void paper_heading(struct paper *p, struct str s);
void paper_text(struct paper *p, struct str s, bool indent);    // paragraphs at line breaks; indent: by two characters
void paper_note(struct paper *p, struct str s);                 // small
void paper_right(struct paper *p, struct str s);                // office and date below a text
void paper_space(struct paper *p, double lines);
void paper_page(struct paper *p);                               // the next page, unless this one is empty
// A table: n cells a row, widths are shares. head: repeated on each page; NULL = none. first_bold: the first column is a label.
struct paper_table {
	size_t columns;
	const double *widths;
	const struct str *head;
	const struct str *cells;
	size_t rows;
	bool first_bold;
};
void paper_put_table(struct paper *p, const struct paper_table *t);
// A JPEG or PNG with a caption; two go beside each other. Anything else: only the caption.
void paper_picture(struct paper *p, struct str bytes, struct str mime, struct str caption);
void paper_pictures_end(struct paper *p);
// At the foot of the last page: a QR code of url, lines of text beside it.
void paper_code(struct paper *p, struct str url, const struct str *lines, size_t n);
int paper_pages(const struct paper *p);
// Ends and frees; the bytes in the arena. ERR_TOO_LARGE beyond LIMIT_FILE_BYTES, ERR_IO if the drawing failed.
enum err paper_end(struct paper *p, struct arena *a, struct str *ret) must_check;

// Several PDFs one after the other, pages untouched (libqpdf). ERR_CORRUPT if one is no PDF.
enum err paper_merge(const struct str *files, size_t n, struct arena *a, struct str *ret) must_check;
