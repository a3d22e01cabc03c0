/* store_name.c - which names objects may have; knows no implementation. */
#include <string.h>

#include "base/store/store.h"

static bool
part_is_legal(const char *part, size_t len)
{
	static const char own[] = STORE_OWN_PREFIX;

	if (len == 0 || (len == 1 && part[0] == '.') ||
	    (len == 2 && memcmp(part, "..", 2) == 0))
		return false;
	return len < sizeof(own) - 1 || memcmp(part, own, sizeof(own) - 1) != 0;
}

int
store_name_check(const char *name, struct err_info *ei)
{
	size_t len = strlen(name);

	if (len == 0 || len > STORE_NAME_MAX)
		return err_set(ei, ERR_INVAL, "object name of %zu bytes (1..%d are allowed)",
		    len, STORE_NAME_MAX);
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)name[i] < 0x20)
			return err_set(ei, ERR_INVAL, "object name with a control character");
	}
	for (const char *part = name;;) {
		size_t n = strcspn(part, "/");

		if (!part_is_legal(part, n))
			return err_set(
			    ei, ERR_INVAL, "object name %s has an illegal part", name);
		if (part[n] == '\0')
			return 0;
		part += n + 1;
	}
}
