// Time and place that a camera wrote into a JPEG.
#pragma once

#include "base/base.h"
#include "base/str.h"

// head: the first bytes of the file. NAN and 0 where the picture does not say. Times without an offset of their own are
// in the site's zone. Pure; any thread.
void exif_read(struct str head, int64_t *ret_taken_at, double *ret_lon, double *ret_lat);
