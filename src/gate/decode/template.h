// A vendor's own text or JSON, read by a declared template (packs/*/payloads/*.yaml) instead of code: where in a record its
// time and values stand and what they are called. gate/template/payloads.c makes templates from their YAML; here they are only
// used. A template is one block of memory without pointers, so that the core can send it to the gate as it is.
//
//   text   each line is a record: fields between separators, key=value pairs, or columns of bytes
//   JSON   one record, and one more for each item of an array whose path is named with []
//
// Pure functions, any thread.
#pragma once

#include "gate/decode/decode.h"

enum template_form { TEMPLATE_DELIMITED, TEMPLATE_PAIRS, TEMPLATE_COLUMNS, TEMPLATE_JSON, TEMPLATE_FORM__MAX };
enum template_clock { TEMPLATE_ARRIVAL, TEMPLATE_ISO, TEMPLATE_UNIX, TEMPLATE_UNIX_MS, TEMPLATE_LETTERS, TEMPLATE_CLOCK__MAX };

#define TEMPLATE_NONE UINT8_MAX  // no place
#define TEMPLATE_REF '\x01'      // in the name of a point: the number of a place follows in the next byte, from 1

struct template_text { uint16_t at, n; }; // in the text behind the tables

struct template_place {              // where a text stands
	struct template_text key;    // PAIRS: the key; JSON: the path below the record
	uint16_t from, to;           // DELIMITED: from = number of the field; COLUMNS: first and last byte; all from 1
	uint8_t list;                // JSON: number of the list it is in, from 1; 0: around them
	uint8_t _pad[3];
};
struct template_item {               // one value of a record
	struct template_text point;  // its name: text with TEMPLATE_REF
	struct template_text prefix, suffix; // that stand around the number
	uint8_t value;               // place; TEMPLATE_NONE: the record itself is the event
	uint8_t quality;             // place or TEMPLATE_NONE
	uint8_t list;                // JSON: of the record it is read from
	uint8_t _pad;
	double scale;
};
struct template_word {               // what a text means
	struct template_text word;
	uint8_t quality;             // enum quality
	uint8_t number;              // 1: value counts
	uint8_t of_quality;          // 1: where a quality stands; 0: where a number would
	uint8_t _pad;
	double value;
};

struct payload_template {
	uint32_t size;               // of all: this, places, items, words, lists, text
	uint8_t form, clock;
	uint8_t separator, equals;
	uint8_t nplaces, nitems, nwords, nlists;
	uint8_t time[2];             // places of its parts, joined by a blank; TEMPLATE_NONE
	int16_t zone_min;
	struct template_text start, end; // the record stands between them; lines that do not begin with start are passed over
	struct template_text letters;    // TEMPLATE_LETTERS
	uint16_t text_n;
	uint8_t _pad[2];
};

// Sound in n bytes: every table and text lies in it, every number names something. Nothing else may be decoded with.
bool template_sound(const void *block, size_t n);
bool template_letters_ok(struct str letters); // of a time: year, month, day, hour and minute are there, once each
size_t template_most(const struct payload_template *t, struct str body); // readings that it can hold at most
bool template_decode(const struct payload_template *t, struct str body, struct arena *arena, int64_t now, const struct decode_sink *sink,
		     struct refusal *why);
