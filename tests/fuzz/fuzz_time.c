// needs: base
// Times, durations and numbers: what is read must print to something that reads the same.
#include "base/time.h"
#include "tests/fuzz/must.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str s = str_from((const char *)data, n);
	char text[TIME_TEXT_MAX], number[F64_TEXT_MAX];
	int64_t us, back;
	if (time_parse(s, &us)) {
		for (int zone = -720; zone <= 840; zone += 390) {
			struct civil c = time_to_civil(us, zone);
			must(civil_valid(c) && time_from_civil(c, zone) == us);
			size_t len = time_text_zone(us, zone, text);
			must(len <= TIME_TEXT_MAX);
			must(c.year < 0 || c.year > 9999 || (time_parse(str_from(text, len), &back) && back == us));
		}
	}
	if (time_parse_local(s, 480, &us)) {
		must(time_parse(str_from(text, time_text_zone(us, 480, text)), &back) && back == us);
	}
	duration_parse(s, &us);
	double v, again;
	if (str_to_f64(s, &v)) {
		size_t len = f64_text(v, number);
		must(len <= F64_TEXT_MAX && str_to_f64(str_from(number, len), &again) && memcmp(&v, &again, sizeof(v)) == 0);
	}
	if (n >= 8) {
		memcpy(&us, data, 8);
		must(time_text_zone(us, 480, text) <= TIME_TEXT_MAX);
		struct civil c = time_to_civil(us, 480);
		must(civil_valid(c));
		memcpy(&v, data, 8);
		must(f64_text(v, number) <= F64_TEXT_MAX);
	}
	return 0;
}
