/* addr.c - parsing listen and backend addresses; no sockets here. */
#include "base/addr.h"

#include <stdlib.h>
#include <string.h>

static int
parse_unix(const char *path, struct addr *ret, struct err_info *ei)
{
	if (path[0] == '\0')
		return err_set(ei, ERR_INVAL, "address \"unix:\" lacks a path");
	if (strlen(path) >= ADDR_PATH_MAX)
		return err_set(ei, ERR_INVAL, "socket path \"%s\" is longer than %d bytes",
		    path, ADDR_PATH_MAX - 1);
	*ret = (struct addr){ .kind = ADDR_UNIX };
	memcpy(ret->path, path, strlen(path) + 1);
	return 0;
}

static int
parse_tcp(const char *text, struct addr *ret, struct err_info *ei)
{
	const char *colon = strrchr(text, ':');
	const char *host = text;
	size_t host_len, port_len;

	if (colon == NULL || colon == text)
		return err_set(
		    ei, ERR_INVAL, "address \"%s\" is neither unix:/path nor host:port", text);
	host_len = (size_t)(colon - text);
	if (text[0] == '[' && colon[-1] == ']') {
		host++;
		host_len -= 2;
	}
	port_len = strlen(colon + 1);
	if (host_len == 0 || host_len >= ADDR_HOST_MAX)
		return err_set(ei, ERR_INVAL, "address \"%s\" has no usable host", text);
	if (port_len == 0 || port_len > 5 || strspn(colon + 1, "0123456789") != port_len ||
	    strtol(colon + 1, NULL, 10) > 65535)
		return err_set(ei, ERR_INVAL, "address \"%s\": port must be 0..65535", text);
	*ret = (struct addr){ .kind = ADDR_TCP };
	memcpy(ret->host, host, host_len);
	memcpy(ret->port, colon + 1, port_len);
	return 0;
}

int
addr_parse(const char *text, struct addr *ret, struct err_info *ei)
{
	if (strncmp(text, "unix:", 5) == 0)
		return parse_unix(text + 5, ret, ei);
	return parse_tcp(text, ret, ei);
}
