// A JPEG without what is not the picture (ITU-T T.81, annex B): no Exif, maker's notes, comments, thumbnails or bytes behind its end,
// so that nothing of a camera or of who holds it comes along.
#pragma once

#include "base/arena.h"

// A copy in a; empty if it is no whole JPEG. Pure.
struct str jpeg_plain(struct str bytes, struct arena *a);
