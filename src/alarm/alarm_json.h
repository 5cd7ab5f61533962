// One alarm as an object, for alarm/ only.
#pragma once

#include "alarm/alarm_row.h"

void alarm_write(struct jw *w, struct db *db, const struct alarm_row *r, struct arena *a);
