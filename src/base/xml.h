// Text of XML 1.0 documents that leave: CAP messages, feeds. Pure; any thread.
#pragma once

#include "base/buf.h"

// Text of an element: markup escaped; control characters, which XML 1.0 (2.2) has no place for, left out.
void xml_text(struct buf *b, struct str s);
void xml_attribute(struct buf *b, struct str s); // text between double quotes
void xml_element(struct buf *b, const char *name, struct str s); // <name>s</name> and a line end
