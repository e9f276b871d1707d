/*
 * Words to the service manager (see notify.h). Runs in the supervisor; sends a datagram of constant
 * text to the socket that NOTIFY_SOCKET names, which only who started us can set. A manager that
 * does not listen is no failure of ours.
 */
#include "policy/supervisor/notify.h"

#include "policy/supervisor/supervisor.h"

#include <inttypes.h>
#include <stdio.h>

#ifdef HAVE_LIBSYSTEMD
#include <systemd/sd-daemon.h>
#endif

static void
tell(const char *words)
{
#ifdef HAVE_LIBSYSTEMD
	sd_notify(0, words);
#else
	(void)words;
#endif
}

void
notify_ready(void)
{
	tell("READY=1");
}

void
notify_reloading(void)
{
	char words[64];
	snprintf(words, sizeof(words), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		supervisor_now_ms() * 1000);
	tell(words);
}

void
notify_stopping(void)
{
	tell("STOPPING=1");
}
