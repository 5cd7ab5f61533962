// First letters of the pinyin of Chinese characters: 化工园区 is found by "hgyq". Pure; any thread.
#pragma once

#include "base/buf.h"

#define PINYIN_LINE 512 // letters of one line that are formed; what is longer is cut

// The letter ('a'–'z', never i, u, v) of the usual reading; 0 for what is no character of GB 2312-1980.
char pinyin_initial(uint32_t codepoint);
// The letter of a second reading that is common in this field (重 z, c); 0 = none.
char pinyin_other(uint32_t codepoint);
// For each line of the text (UTF-8) one line of initials: a letter for each character, ASCII letters (small) and digits as
// they are, everything else left out; then a line for each character of two readings in its other one (with the 8
// letters on either side), and one with all of them in the other. Lines without a Chinese character give nothing.
void pinyin_initials(struct str text, struct buf *out);
// Can the word be a row of initials: only a–z and 0–9, and not empty?
bool pinyin_letters(struct str word);
