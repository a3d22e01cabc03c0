/*
 * x509.h - what a certificate says (RFC 5280), as far as an error message needs it.
 */
#pragma once

#include <stdbool.h>

/*
 * Has the first certificate of `pem` expired, by this machine's clock?  False, too, when it
 * cannot be read.
 */
bool x509_has_expired(const char *pem);
