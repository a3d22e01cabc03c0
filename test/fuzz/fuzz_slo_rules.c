/* fuzz_slo_rules.c - a repository's own rules file: any bytes. */
#include <stdint.h>
#include <stdlib.h>

#include "fcgi/slo/slo_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slo_rules rules = { 0 };
	struct err_info ei = { 0 };
	struct arena a;
	int rc;

	arena_init(&a, (size_t)8 << 20);
	rc = slo_rules_parse((struct slice){ (const char *)data, size }, &a, &rules, &ei);
	if (rc != 0 && rc != ERR_NOMEM && ei.text[0] == '\0')
		abort();
	for (size_t i = 0; i < rules.count; i++) {
		if (rules.items[i].response_ms < 0 || rules.items[i].resolution_ms < 0)
			abort();
	}
	arena_clear(&a);
	return 0;
}
