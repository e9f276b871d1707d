/*
 * Password hashes for users files (crypt(5), yescrypt). Verifying is auth's and not here.
 */
#ifndef SALLYPORT_POLICY_RULES_PASSWORD_H
#define SALLYPORT_POLICY_RULES_PASSWORD_H

#include "ipc/base/compiler.h"

enum { PASSWORD_MADE_BYTES = 16 };

/*
 * Makes a random password of 16 letters and digits that are not mistaken for one another (80 bits).
 * 0 or a negative errno of getrandom(2).
 */
MUST_CHECK int password_make(char result[PASSWORD_MADE_BYTES + 1]);

/*
 * Hashes a password with a fresh salt and the library's default cost. The caller frees *hash. 0,
 * -EINVAL for one that crypt(3) does not take (too long), -ENOMEM, or an errno of the salt's
 * random source.
 */
MUST_CHECK int password_hash(const char *password, char **hash);

#endif
