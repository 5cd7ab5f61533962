// 统一社会信用代码, GB 32100-2015: 18 characters of 0-9 and A-Z without I O S V Z, the last of which checks the others. Pure.
#pragma once

#include "base/base.h"
#include "base/str.h"

bool uscc_ok(struct str s);               // 18 characters and the check character fits
char uscc_check_char(struct str first17); // 0 if a character is not of the code's alphabet
