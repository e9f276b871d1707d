/*
 * sallyport-gateway: the network front. Runs with its own uid, an empty root and no capability; its
 * only way to anything is descriptor 3, the channel to the supervisor that started it. Distrusts
 * every byte from the network and from workers, trusts the supervisor, auth and record. When
 * something is broken it ends; the supervisor starts another.
 */
#include "gateway/gateway.h"
#include "gateway/supervisor.h"
#include "ipc/base/ends.h"
#include "policy/cage/cage.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

static int
lock_in(bool required, bool kernel_tls, char **report)
{
	struct cage_options options = { .required = required };
	struct cage_additions additions = {
		.option = kernel_tls ? CAGE_FOR_KERNEL_TLS : CAGE_FOR_ALL,
	};
	struct cage_report cage;
	int error = cage_enter(CAGE_GATEWAY, &options, &cage);
	if (error == 0)
		error = cage_close(CAGE_GATEWAY, &additions, &cage);
	*report = cage_report_text(&cage);
	return error;
}

static struct event_base *
make_base(void)
{
	struct event_config *config = event_config_new();
	if (config == NULL)
		return NULL;
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	struct event_base *base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

int
main(void)
{
	int channel_fd = CAGE_CHANNEL_FD;
	ends_set_program("sallyport-gateway");
	signal(SIGPIPE, SIG_IGN);
	/* FTP speaks UTC, and libc would open a file when it is first asked for the time. */
	setenv("TZ", "UTC0", 1);
	tzset();
	struct event_base *base = make_base();
	struct gateway *gateway = base == NULL ? NULL : gateway_new(base);
	if (gateway == NULL)
		die("out of memory");
	if (supervisor_connect(gateway, &channel_fd, lock_in) < 0)
		die("descriptor %d is no channel; sallyportd starts this program", CAGE_CHANNEL_FD);
	event_base_dispatch(base);
	channel_drain(&gateway->record.channel); /* DECISIONS 22 */
	gateway_free(&gateway);
	event_base_free(base);
	return EXIT_SUCCESS;
}
