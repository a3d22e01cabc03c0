/* deliveries.c - a ring of digests; 32 KB are read faster than anything smarter is written. */
#include "router/deliveries.h"

#include "base/digest.h"

bool
deliveries_seen(struct deliveries *d, struct slice id)
{
	unsigned char raw[SHA256_LEN];
	uint64_t key;

	if (id.len == 0 || sha256(id, raw) != 0)
		return false;
	key = get_be64(raw) | 1;
	for (unsigned i = 0; i < DELIVERIES_MAX; i++) {
		if (d->ids[i] == key)
			return true;
	}
	d->ids[d->next] = key;
	d->next = (d->next + 1) % DELIVERIES_MAX;
	return false;
}
