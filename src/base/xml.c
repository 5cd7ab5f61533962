#include "base/xml.h"

static void escape(struct buf *b, struct str s, bool quotes)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];
		if (ch == '<')
			buf_add_cstr(b, "&lt;");
		else if (ch == '>')
			buf_add_cstr(b, "&gt;");
		else if (ch == '&')
			buf_add_cstr(b, "&amp;");
		else if (ch == '"' && quotes)
			buf_add_cstr(b, "&quot;");
		else if (ch >= ' ' || ch == '\n' || ch == '\t')
			buf_add_u8(b, ch);
	}
}

void xml_text(struct buf *b, struct str s) { escape(b, s, false); }
void xml_attribute(struct buf *b, struct str s) { escape(b, s, true); }

void xml_element(struct buf *b, const char *name, struct str s)
{
	buf_printf(b, "<%s>", name);
	xml_text(b, s);
	buf_printf(b, "</%s>\n", name);
}
