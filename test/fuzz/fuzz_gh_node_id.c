/* fuzz_gh_node_id.c - node ids: a positive number or nothing, the same with other padding. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "sync/github/gh_node_id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *id = malloc(size + 1);
	int64_t number = -1, again = -1;
	size_t len;
	int rc;

	if (id == NULL)
		return 0;
	if (size > 0)
		memcpy(id, data, size);
	id[size] = '\0';
	rc = gh_node_id_number(id, &number);
	if (rc == 0 ? number <= 0 : rc != ERR_UNSUPPORTED || number != -1)
		abort();
	len = strlen(id);
	while (len > 0 && id[len - 1] == '=')
		id[--len] = '\0';
	if (rc == 0 && (gh_node_id_number(id, &again) != 0 || again != number))
		abort();
	free(id);
	return 0;
}
