// Reads DateTimeOriginal and the GPS position with libexif. The data is a stranger's: only lengths that libexif has
// checked are used.
#include "api/exif.h"

#include <libexif/exif-data.h>
#include <math.h>

#include "base/time.h"

static const ExifEntry *entry_of(ExifData *d, ExifIfd ifd, int tag, ExifFormat format, unsigned components)
{
	const ExifEntry *e = exif_content_get_entry(d->ifd[ifd], (ExifTag)tag);
	bool ok = e && e->format == format && e->components >= components && e->data &&
	          e->size >= components * exif_format_get_size(format);
	return ok ? e : NULL;
}

static struct str ascii_of(ExifData *d, ExifIfd ifd, int tag)
{
	const ExifEntry *e = entry_of(d, ifd, tag, EXIF_FORMAT_ASCII, 1);
	if (!e)
		return STR_EMPTY;
	return str_from((const char *)e->data, strnlen((const char *)e->data, e->size));
}

// "2026:11:22 08:30:00", with "+08:00" in a tag of its own since EXIF 2.31.
static int64_t taken_at(ExifData *d)
{
	struct str s = ascii_of(d, EXIF_IFD_EXIF, EXIF_TAG_DATE_TIME_ORIGINAL);
	int64_t us = 0;
	char text[20];
	if (s.n != 19 || s.p[4] != ':' || s.p[7] != ':')
		return 0;
	memcpy(text, s.p, 19);
	text[4] = text[7] = '-';
	if (!time_parse_local(str_from(text, 19), time_zone(), &us) || us <= 0)
		return 0;
	return us;
}

static bool degrees(ExifData *d, int tag, int ref_tag, char negative, double limit, double *ret)
{
	const ExifEntry *e = entry_of(d, EXIF_IFD_GPS, tag, EXIF_FORMAT_RATIONAL, 3);
	struct str ref = ascii_of(d, EXIF_IFD_GPS, ref_tag);
	double v = 0;
	if (!e || !ref.n)
		return false;
	for (unsigned i = 0; i < 3; i++) {
		ExifRational r = exif_get_rational(e->data + i * 8, exif_data_get_byte_order(d));
		if (r.denominator == 0)
			return false;
		v += (double)r.numerator / (double)r.denominator / (i == 0 ? 1 : i == 1 ? 60 : 3600);
	}
	*ret = ref.p[0] == negative ? -v : v;
	return v <= limit;
}

void exif_read(struct str head, int64_t *ret_taken_at, double *ret_lon, double *ret_lat)
{
	double lon, lat;
	*ret_taken_at = 0;
	*ret_lon = *ret_lat = NAN;
	ExifData *d = exif_data_new_from_data((const unsigned char *)head.p, (unsigned)head.n);
	if (!d)
		return;
	*ret_taken_at = taken_at(d);
	if (degrees(d, EXIF_TAG_GPS_LONGITUDE, EXIF_TAG_GPS_LONGITUDE_REF, 'W', 180, &lon) &&
	    degrees(d, EXIF_TAG_GPS_LATITUDE, EXIF_TAG_GPS_LATITUDE_REF, 'S', 90, &lat)) {
		*ret_lon = lon;
		*ret_lat = lat;
	}
	exif_data_unref(d);
}
