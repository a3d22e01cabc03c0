/*
 * crc32c.c - CRC-32C, by SSE4.2 instruction where the processor has it and by
 * a table otherwise.  Ours because Debian ships no C library for it.
 */
#include "base/bytes.h"

#include <pthread.h>

static uint32_t table[256];
static bool has_sse42;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
prepare(void)
{
	/* The reflected polynomial 0x1EDC6F41 of RFC 3720. */
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int bit = 0; bit < 8; bit++)
			c = (c & 1) != 0 ? (c >> 1) ^ 0x82f63b78U : c >> 1;
		table[i] = c;
	}
#if defined(__x86_64__)
	__builtin_cpu_init();
	has_sse42 = __builtin_cpu_supports("sse4.2") != 0;
#endif
}

static uint32_t
by_table(uint32_t crc, const unsigned char *p, size_t len)
{
	for (; len > 0; len--, p++)
		crc = table[(crc ^ *p) & 0xff] ^ (crc >> 8);
	return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t
by_instruction(uint32_t crc, const unsigned char *p, size_t len)
{
	uint64_t c = crc;

	for (; len >= 8; len -= 8, p += 8) {
		uint64_t word;

		memcpy(&word, p, sizeof(word));
		c = __builtin_ia32_crc32di(c, word);
	}
	crc = (uint32_t)c;
	for (; len > 0; len--, p++)
		crc = __builtin_ia32_crc32qi(crc, *p);
	return crc;
}
#endif

uint32_t
crc32c(uint32_t crc, const void *data, size_t len)
{
	pthread_once(&once, prepare);
	crc = ~crc;
#if defined(__x86_64__)
	if (has_sse42)
		return ~by_instruction(crc, data, len);
#endif
	return ~by_table(crc, data, len);
}
