// What kind a file is, from its own bytes. Pure functions; the list of kinds that we keep stands here and nowhere else.
#include "base/arena.h"
#include "store/files.h"

#define DOCX "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
#define XLSX "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#define PPTX "application/vnd.openxmlformats-officedocument.presentationml.presentation"

static const struct {
	const char *mime, *group;
} kinds[] = {
	{ "application/pdf", "pdf" },
	{ DOCX, "office" },
	{ XLSX, "office" },
	{ PPTX, "office" },
	{ "application/vnd.oasis.opendocument.text", "office" },
	{ "application/vnd.oasis.opendocument.spreadsheet", "office" },
	{ "application/vnd.oasis.opendocument.presentation", "office" },
	{ "application/msword", "office" },
	{ "application/vnd.ms-excel", "office" },
	{ "application/vnd.ms-powerpoint", "office" },
	{ "image/jpeg", "image" },
	{ "image/png", "image" },
	{ "image/webp", "image" },
	{ "image/heic", "image" },
	{ "video/mp4", "video" },
	{ "text/plain", "text" },
	{ "text/csv", "text" },
};

struct str file_group(struct str mime)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_is(mime, kinds[i].mime))
			return str_of(kinds[i].group);
	return STR_EMPTY;
}

static bool ends_nocase(struct str name, const char *ending)
{
	size_t n = strlen(ending);
	return name.n >= n && str_eq_nocase(str_skip(name, name.n - n), str_of(ending));
}

static bool has(struct str s, const char *bytes) { return str_contains(s, str_of(bytes)); }

// Office files are zip archives; which one stands in the names of their parts (in front, or in the directory behind).
static struct str zip_mime(struct str head, struct str tail)
{
	static const struct {
		const char *part, *mime;
	} parts[] = {
		{ "word/", DOCX },
		{ "xl/", XLSX },
		{ "ppt/", PPTX },
		{ "mimetypeapplication/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text" },
		{ "mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "application/vnd.oasis.opendocument.spreadsheet" },
		{ "mimetypeapplication/vnd.oasis.opendocument.presentation", "application/vnd.oasis.opendocument.presentation" },
	};
	bool ooxml = has(head, "[Content_Types].xml") || has(tail, "[Content_Types].xml");
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if ((i > 2 || ooxml) && (has(head, parts[i].part) || (i < 3 && has(tail, parts[i].part))))
			return str_of(parts[i].mime);
	return STR_EMPTY;
}

// Compound files (OLE2) carry the old office formats; the bytes do not say simply which.
static struct str ole_mime(struct str name)
{
	if (ends_nocase(name, ".doc") || ends_nocase(name, ".wps"))
		return STR("application/msword");
	if (ends_nocase(name, ".xls") || ends_nocase(name, ".et"))
		return STR("application/vnd.ms-excel");
	if (ends_nocase(name, ".ppt") || ends_nocase(name, ".dps"))
		return STR("application/vnd.ms-powerpoint");
	return STR_EMPTY;
}

// ISO base media: the brand behind "ftyp" says which.
static struct str media_mime(struct str head)
{
	static const char *const heic[] = { "heic", "heix", "mif1", "msf1", "heim", "heis" };
	static const char *const mp4[] = { "isom", "iso2", "iso4", "iso5", "iso6", "mp41", "mp42", "avc1", "M4V ", "MSNV", "3gp4", "3gp5", "3gp6", "qt  " };
	struct str brand = str_from(head.p + 8, 4);
	for (size_t i = 0; i < ARRAY_LEN(heic); i++)
		if (str_is(brand, heic[i]))
			return STR("image/heic");
	for (size_t i = 0; i < ARRAY_LEN(mp4); i++)
		if (str_is(brand, mp4[i]))
			return STR("video/mp4");
	return STR_EMPTY;
}

// Text: UTF-8 (cut at the end of head, perhaps) or another encoding without control characters; named .txt or .csv.
static struct str text_mime(struct str head, struct str name)
{
	for (size_t i = 0; i < head.n; i++) {
		unsigned char ch = (unsigned char)head.p[i];
		if ((ch < ' ' && ch != '\n' && ch != '\r' && ch != '\t') || ch == 127)
			return STR_EMPTY;
	}
	if (ends_nocase(name, ".csv"))
		return STR("text/csv");
	return ends_nocase(name, ".txt") ? STR("text/plain") : STR_EMPTY;
}

struct str file_mime(struct str head, struct str tail, struct str name)
{
	if (head.n < 12)
		return head.n ? text_mime(head, name) : STR_EMPTY;
	if (str_starts(head, STR("%PDF-")))
		return STR("application/pdf");
	if (str_starts(head, STR("\xff\xd8\xff")))
		return STR("image/jpeg");
	if (str_starts(head, STR("\x89PNG\r\n\x1a\n")))
		return STR("image/png");
	if (str_starts(head, STR("RIFF")) && memcmp(head.p + 8, "WEBP", 4) == 0)
		return STR("image/webp");
	if (memcmp(head.p + 4, "ftyp", 4) == 0)
		return media_mime(head);
	if (str_starts(head, STR("PK\x03\x04")))
		return zip_mime(head, tail);
	if (str_starts(head, STR("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")))
		return ole_mime(name);
	return text_mime(head, name);
}
