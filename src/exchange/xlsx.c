// XLSX (ECMA-376 SpreadsheetML): the first sheet of a workbook, row by row. libzip unpacks, expat reads; every size a
// stranger controls is bounded, a document type (the way of entity bombs) is refused, nothing is fetched from outside.
// Formulas count with the value they had when the file was saved.
#include "exchange/xlsx_in.h"

#include "base/arena.h"
#include "base/limits.h"

#define FEED 65536

// ---- small helpers -----------------------------------------------------------------------------

const char *xlsx_local(const char *name)
{
	const char *colon = strrchr(name, ':');
	return colon ? colon + 1 : name;
}

const char *xlsx_attr(const char **atts, const char *name)
{
	for (; *atts; atts += 2)
		if (strcmp(xlsx_local(atts[0]), name) == 0)
			return atts[1];
	return NULL;
}

static enum err refuse(struct problem *p)
{
	return problem_set(p, ERR_PARSE, "", "这不是可以读取的 XLSX 工作簿，请用表格软件另存为 .xlsx 或 .csv",
	                   "this is no XLSX workbook that can be read; save it again as .xlsx or .csv");
}

static enum err too_large(struct problem *p)
{
	return problem_set(p, ERR_TOO_LARGE, "", "工作簿解开后太大，请拆分或另存为 CSV", "the workbook is too large once unpacked; split it or save it as CSV");
}

// ---- parts -------------------------------------------------------------------------------------

enum err xlsx_part_open(struct xlsx *x, const char *name, struct part *ret, struct problem *p)
{
	zip_stat_t st;
	*ret = (struct part){ .parser = XML_ParserCreate(NULL) };
	zip_int64_t at = zip_name_locate(x->zip, name, ZIP_FL_NOCASE);
	if (at < 0 || zip_stat_index(x->zip, (zip_uint64_t)at, 0, &st) || !(st.valid & ZIP_STAT_SIZE))
		return ERR_NOT_FOUND;
	if ((st.valid & ZIP_STAT_ENCRYPTION_METHOD) && st.encryption_method != ZIP_EM_NONE)
		return problem_set(p, ERR_UNSUPPORTED, "", "工作簿加了密码，请先取消密码", "the workbook has a password; remove it first");
	bool bomb = st.size > (1u << 20) && (st.valid & ZIP_STAT_COMP_SIZE) && st.size / LIMIT_XLSX_PACKED > st.comp_size;
	if (st.size > LIMIT_XLSX_BYTES || bomb)
		return too_large(p);
	ret->file = zip_fopen_index(x->zip, (zip_uint64_t)at, 0);
	return ret->file ? OK : refuse(p);
}

void xlsx_part_close(struct part *part)
{
	if (part->parser)
		XML_ParserFree(part->parser);
	if (part->file)
		zip_fclose(part->file);
	*part = (struct part){ 0 };
}

static void on_doctype(void *arg, const XML_Char *name, const XML_Char *system, const XML_Char *public, int internal)
{
	struct xlsx *x = arg;
	(void)name, (void)system, (void)public, (void)internal;
	xlsx_stop(x, ERR_PARSE);
}

void xlsx_part_handlers(struct xlsx *x, struct part *part, XML_StartElementHandler start, XML_EndElementHandler end,
                        XML_CharacterDataHandler text)
{
	x->running = part->parser;
	XML_SetUserData(part->parser, x);
	XML_SetElementHandler(part->parser, start, end);
	XML_SetCharacterDataHandler(part->parser, text);
	XML_SetStartDoctypeDeclHandler(part->parser, on_doctype);
}

void xlsx_stop(struct xlsx *x, enum err err)
{
	if (!x->err)
		x->err = err;
	XML_StopParser(x->running, XML_FALSE);
}

// Feeds the parser until it stops by itself or the part ends (part->ended).
enum err xlsx_part_run(struct xlsx *x, struct part *part, struct problem *p)
{
	enum XML_Status st = XML_STATUS_OK;
	if (part->suspended) {
		part->suspended = false;
		st = XML_ResumeParser(part->parser);
	}
	while (st == XML_STATUS_OK && !part->ended) {
		void *to = XML_GetBuffer(part->parser, FEED);
		zip_int64_t n = to ? zip_fread(part->file, to, FEED) : -1;
		x->bytes += n > 0 ? (uint64_t)n : 0;
		if (n < 0 || x->bytes > LIMIT_XLSX_BYTES)
			return n < 0 ? refuse(p) : too_large(p);
		part->ended = n == 0;
		st = XML_ParseBuffer(part->parser, (int)n, n == 0);
	}
	if (st == XML_STATUS_SUSPENDED) {
		part->suspended = true;
		return OK;
	}
	if (st == XML_STATUS_OK)
		return OK;
	if (x->err == ERR_TOO_LARGE)
		return x->row_too_wide ? problem_set(p, ERR_TOO_LARGE, "", "第 %u 行超过 %u 列", "row %u has more than %u columns", x->row,
		                                     (unsigned)LIMIT_SHEET_COLUMNS) :
		                         too_large(p);
	return refuse(p);
}

// A part read from its first byte to its last; one that is not there is no mistake (*ret_found).
static enum err part_whole(struct xlsx *x, const char *name, XML_StartElementHandler start, XML_EndElementHandler end,
                           XML_CharacterDataHandler text, bool *ret_found, struct problem *p)
{
	struct part part;
	enum err err = xlsx_part_open(x, name, &part, p);
	*ret_found = err != ERR_NOT_FOUND;
	if (!err) {
		xlsx_part_handlers(x, &part, start, end, text);
		err = xlsx_part_run(x, &part, p);
	}
	xlsx_part_close(&part);
	return err == ERR_NOT_FOUND ? OK : err;
}

// ---- workbook: which part is the first sheet ---------------------------------------------------

static void workbook_start(void *arg, const XML_Char *name, const XML_Char **atts)
{
	struct xlsx *x = arg;
	const char *v;
	if (strcmp(xlsx_local(name), "workbookPr") == 0 && (v = xlsx_attr(atts, "date1904")))
		x->date1904 = strcmp(v, "1") == 0 || strcmp(v, "true") == 0;
	if (strcmp(xlsx_local(name), "sheet") != 0 || x->sheet_rel.n)
		return;
	for (const char **q = atts; *q; q += 2) // "r:id", not "sheetId"
		if (strcmp(xlsx_local(q[0]), "id") == 0)
			x->sheet_rel = arena_str(x->arena, str_of(q[1]));
}

static void rels_start(void *arg, const XML_Char *name, const XML_Char **atts)
{
	struct xlsx *x = arg;
	const char *id = xlsx_attr(atts, "Id"), *target = xlsx_attr(atts, "Target");
	if (strcmp(xlsx_local(name), "Relationship") != 0 || !id || !target || !str_is(x->sheet_rel, id))
		return;
	struct str t = str_of(target);
	x->sheet_part = t.n && t.p[0] == '/' ? arena_str(x->arena, str_skip(t, 1)) : arena_printf(x->arena, "xl/%.*s", STR_FMT(t));
}

// ---- styles: which number formats show a date --------------------------------------------------

// Formats 14–22, 27–36, 45–47, 50–58 are dates or times (ECMA-376 part 1, 18.8.30, with those of zh-cn).
static bool builtin_is_date(unsigned long id)
{
	return (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) || (id >= 50 && id <= 58);
}

// A format code with y, m, d, h or s outside quotes, brackets and escapes; General has none of them as such.
static bool code_is_date(const char *code)
{
	if (strcmp(code, "General") == 0 || strcmp(code, "@") == 0)
		return false;
	for (const char *q = code; *q; q++) {
		if (*q == '"' || *q == '[') {
			char to = *q == '"' ? '"' : ']';
			while (*q && *++q != to)
				;
			if (!*q)
				return false;
		} else if ((*q == '\\' || *q == '_' || *q == '*') && q[1]) {
			q++;
		} else if (*q == ';') {
			return false; // only the first section says what positive numbers look like
		} else if (strchr("yYmMdDhHsS", *q)) {
			return true;
		}
	}
	return false;
}

static void styles_start(void *arg, const XML_Char *raw, const XML_Char **atts)
{
	struct xlsx *x = arg;
	const char *name = xlsx_local(raw), *id = xlsx_attr(atts, "numFmtId"), *code = xlsx_attr(atts, "formatCode");
	uint64_t n;
	if (strcmp(name, "cellXfs") == 0)
		x->in_xfs = true;
	if (!id || !str_to_u64(str_of(id), &n))
		return;
	if (strcmp(name, "numFmt") == 0 && code && code_is_date(code) && x->nformats < LIMIT_XLSX_FORMATS) {
		x->formats = arena_push(x->arena, x->formats, &x->nformats, &x->cap_formats, sizeof *x->formats);
		x->formats[x->nformats - 1] = n;
	}
	if (!x->in_xfs || strcmp(name, "xf") != 0 || x->nstyles == LIMIT_XLSX_FORMATS)
		return;
	x->styles = arena_push(x->arena, x->styles, &x->nstyles, &x->cap_styles, sizeof *x->styles);
	bool date = builtin_is_date((unsigned long)n);
	for (size_t i = 0; i < x->nformats; i++)
		date |= x->formats[i] == n;
	x->styles[x->nstyles - 1] = date;
}

static void styles_end(void *arg, const XML_Char *name)
{
	struct xlsx *x = arg;
	if (strcmp(xlsx_local(name), "cellXfs") == 0)
		x->in_xfs = false;
}

// ---- shared strings ----------------------------------------------------------------------------

static void strings_start(void *arg, const XML_Char *raw, const XML_Char **atts)
{
	struct xlsx *x = arg;
	const char *name = xlsx_local(raw);
	(void)atts;
	if (strcmp(name, "si") == 0)
		buf_clear(&x->text);
	else if (strcmp(name, "rPh") == 0)
		x->in_phonetic = true;
	else if (strcmp(name, "t") == 0)
		x->in_text = !x->in_phonetic;
}

static void strings_end(void *arg, const XML_Char *raw)
{
	struct xlsx *x = arg;
	const char *name = xlsx_local(raw);
	if (strcmp(name, "t") == 0)
		x->in_text = false;
	else if (strcmp(name, "rPh") == 0)
		x->in_phonetic = false;
	if (strcmp(name, "si") != 0)
		return;
	x->string_bytes += x->text.n + sizeof(struct str);
	if (x->string_bytes > LIMIT_XLSX_STRINGS || !buf_ok(&x->text)) {
		xlsx_stop(x, ERR_TOO_LARGE);
		return;
	}
	x->strings = arena_push(x->arena, x->strings, &x->nstrings, &x->cap_strings, sizeof *x->strings);
	x->strings[x->nstrings - 1] = xlsx_unescape(x->arena, buf_str(&x->text));
}

void xlsx_text(void *arg, const XML_Char *s, int n)
{
	struct xlsx *x = arg;
	if (x->in_text)
		buf_add(&x->text, s, (size_t)n);
	if (!buf_ok(&x->text))
		xlsx_stop(x, ERR_TOO_LARGE);
}

static void no_text(void *arg, const XML_Char *s, int n)
{
	(void)arg, (void)s, (void)n;
}

static void no_end(void *arg, const XML_Char *name)
{
	(void)arg, (void)name;
}

// "_x000D_" stands for the character of that number (ECMA-376 part 1, 22.9.2.19, ST_Xstring).
struct str xlsx_unescape(struct arena *a, struct str s)
{
	char *out = arena_alloc(a, s.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < s.n;) {
		uint8_t code[2];
		bool escape = i + 7 <= s.n && s.p[i] == '_' && s.p[i + 1] == 'x' && s.p[i + 6] == '_' &&
		              str_from_hex(str_from(s.p + i + 2, 4), code, 2);
		if (escape && code[0] == 0 && code[1] < 0x80 && code[1] != 0) {
			if (code[1] != '\r')
				out[n++] = (char)code[1];
			i += 7;
		} else {
			out[n++] = s.p[i++];
		}
	}
	return str_from(out, n);
}

// ---- opening -----------------------------------------------------------------------------------

static void xlsx_close(void *self)
{
	struct xlsx *x = self;
	xlsx_part_close(&x->sheet);
	buf_free(&x->text);
	if (x->zip)
		zip_discard(x->zip);
	arena_free(x->arena);
	mem_free(x);
}

static enum err open_zip(struct xlsx *x, struct str bytes, struct problem *p)
{
	zip_error_t e;
	zip_error_init(&e);
	zip_source_t *src = zip_source_buffer_create(bytes.p, bytes.n, 0, &e);
	x->zip = src ? zip_open_from_source(src, ZIP_RDONLY, &e) : NULL;
	if (src && !x->zip)
		zip_source_free(src);
	zip_error_fini(&e);
	if (!x->zip)
		return refuse(p);
	return zip_get_num_entries(x->zip, 0) > LIMIT_XLSX_PARTS ? too_large(p) : OK;
}

static enum err read_parts(struct xlsx *x, struct problem *p)
{
	bool found;
	enum err err = part_whole(x, "xl/workbook.xml", workbook_start, no_end, no_text, &found, p);
	if (!err && !found)
		return refuse(p);
	if (!err)
		err = part_whole(x, "xl/_rels/workbook.xml.rels", rels_start, no_end, no_text, &found, p);
	if (!err)
		err = part_whole(x, "xl/styles.xml", styles_start, styles_end, no_text, &found, p);
	if (!err)
		err = part_whole(x, "xl/sharedStrings.xml", strings_start, strings_end, xlsx_text, &found, p);
	return err;
}

enum err xlsx_open(struct sheet_reader *ret, struct str bytes, struct problem *p)
{
	struct xlsx *x = mem_alloc(sizeof *x);
	x->arena = arena_new(16 << 10);
	buf_init(&x->text, LIMIT_CELL);
	enum err err = open_zip(x, bytes, p);
	if (!err)
		err = read_parts(x, p);
	if (!err) {
		const char *name = x->sheet_part.n ? arena_cstr(x->arena, x->sheet_part) : "xl/worksheets/sheet1.xml";
		err = xlsx_merges_read(x, name, p);
		if (!err)
			err = xlsx_part_open(x, name, &x->sheet, p);
		err = err == ERR_NOT_FOUND ? refuse(p) : err;
	}
	if (err) {
		xlsx_close(x);
		return err;
	}
	xlsx_sheet_begin(x);
	*ret = (struct sheet_reader){ xlsx_sheet_next, xlsx_close, x };
	return OK;
}
