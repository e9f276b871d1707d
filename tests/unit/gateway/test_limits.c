/*
 * Limits in number and time (DECISIONS 15, 16, 19, 22, 24; FTP 3), each with the reply that says
 * so.
 */
#include "tests/table.h"
#include "tests/unit/gateway/script.h"

struct limit_row {
	const char *name;
	void (*set)(struct house *house);
	const char *script;
};

static void
two_connections(struct house *house)
{
	house->settings.connections_max = 2;
}

static void
two_without_login(struct house *house)
{
	house->settings.before_login_max = 2;
}

static void
two_of_an_address(struct house *house)
{
	house->settings.before_login_per_address_max = 2;
}

static void
no_ports(struct house *house)
{
	house->has_no_ports = true;
}

static void
shared_ports(struct house *house)
{
	house->settings.ports_are_shared = true;
	house->settings.data_timeout_s = 1;
}

static void
no_shared_ports(struct house *house)
{
	shared_ports(house);
	no_ports(house);
}

static void one_second(struct house *house);

static void
behind_proxy(struct house *house)
{
	house->is_behind_proxy = true;
}

static void
behind_proxy_shared(struct house *house)
{
	behind_proxy(house);
	shared_ports(house);
}

static void
one_of_an_address_by_proxy(struct house *house)
{
	behind_proxy(house);
	house->settings.before_login_per_address_max = 1;
}

static void
one_second_by_proxy(struct house *house)
{
	behind_proxy(house);
	one_second(house);
}

static void
nothing(struct house *house)
{
	(void)house;
}

static const struct limit_row number_rows[] = {
	{ "connections", two_connections,
		"< 220\nhang\nsettle\ncrowd 2\nconnect\n< 421 Too many connections\n= "
		"closed\ncrowd 0\nconnect\n< "
		"220\n" },
	{ "without a login", two_without_login,
		"< 220\nhang\nsettle\ncrowd 2\nconnect\n< 421\n= closed\ncrowd 0\nconnect\n< "
		"220\n" },
	{ "of an address", two_of_an_address,
		"< 220\nhang\nsettle\ncrowd 2\nconnect\n< 421\n= closed\ncrowd 0\nconnect\n< "
		"220\n" },
	{ "who is logged in does not count", two_of_an_address,
		"> @LOGIN\ncrowd 2\n> NOOP\n< 200\ncrowd 0\n> REIN\n< 220\n> NOOP\n< 200\n" },
	{ "logins of one address take turns", nothing,
		"late verdict\nlogins 6\nasked 2\nattached 0\nverdicts\nasked 6\nattached 6\n" },
	{ "whoever leaves gives the turn to the next", nothing,
		"late verdict\nlogins 2\nasked 2\nlogins 2\nasked 2\n> USER u\n<< 331\n> PASS "
		"secret\nhangups 3\n"
		"asked 3\nverdicts\n< 230\nattached 2\n" },
	{ "a turn when auth returns", nothing,
		"late verdict\nlogins 4\nasked 2\nauth dies\nsettle\nsessions 5\nauth "
		"returns\nasked 4\nverdicts\nasked 6\nattached 4\n" },
	{ "no passive port", no_ports, "> @LOGIN\n> PASV\n< 425\n> EPSV\n< 425\n> NOOP\n< 200\n" },
	{ "the end, and record is slow", nothing,
		"> @LOGIN\nrecord sleeps\nrush 3000\n> NOOP\n= nothing\nrecord has all\n" },
	{ "record is slow: nothing is lost, and sessions wait", nothing,
		"> @LOGIN\nrecord sleeps\nrush 3000\n> NOOP\n= nothing\nrecord wakes\n< 200\n> "
		"QUIT\n< 221\n= closed\n" },
};

static void
one_second(struct house *house)
{
	house->settings.login_timeout_s = 1;
	house->settings.idle_timeout_s = 1;
	house->settings.data_timeout_s = 1;
	house->settings.stall_timeout_s = 1;
	house->settings.path_timeout_ms = 500;
}

static void
short_data(struct house *house)
{
	house->settings.data_timeout_s = 1;
}

static void
kept_waiting(struct house *house)
{
	house->settings.keepalive_interval_s = 1;
}

#define SLOW_UPLOAD                                                                                \
	"> @LOGIN\n> PASV\n< 227\ndata open\ndata end\nlate commit\n> STOR f\n< 150\n< 226-Still " \
	"being stored.\n"

/* While an upload is stored its client hears something; what it hears comes true, or not to an end.
 */
static const struct limit_row keepalive_rows[] = {
	{ "stored at last", kept_waiting,
		SLOW_UPLOAD
		"< 226-Still being stored.\nrelease\n< 226 Transfer complete: 0 bytes\n> "
		"NOOP\n< 200\n" },
	{ "not stored: the 226 never ends", kept_waiting,
		SLOW_UPLOAD "fail commit EDQUOT\nrelease\n< 421 It could not be stored\n= "
			    "closed\nevents disconnected\n" },
	{ "the worker dies", kept_waiting, SLOW_UPLOAD "worker dies\n< 421\n= closed\nrelease\n" },
	{ "ABOR comes too late", kept_waiting,
		SLOW_UPLOAD "> ABOR\nsettle\nrelease\n<< 226 Transfer complete\n< 226 Abort done.\n"
			    "worker upload_open /f; receive; commit; \n> NOOP\n< 200\n" },
	{ "ABOR, more often than is counted: the rest waits", kept_waiting,
		SLOW_UPLOAD "flood 70000 ABOR\nwait 1500\nrelease\n<< 226 Transfer complete\n< 226 "
			    "Abort done.\n<< 226 Nothing to abort.\n> PWD\n<< 257\n" },
	{ "STAT waits, as no reply fits into another", kept_waiting,
		SLOW_UPLOAD
		"> STAT\nsettle\nrelease\n<< 226 Transfer complete\n< 211-Sallyport\n" },
	{ "NOOP and QUIT", kept_waiting,
		SLOW_UPLOAD "> NOOP\n> QUIT\nsettle\nrelease\n<< 226 Transfer complete\n< 200\n< "
			    "221\n= closed\n" },
	{ "the session is closed", kept_waiting,
		SLOW_UPLOAD "supervisor closes\n<< 421 Closing\n= closed\nrelease\n" },
	{ "none, where none are wanted", nothing,
		"> @LOGIN\n> PASV\n< 227\ndata open\ndata end\nlate commit\n> STOR f\n< 150\nwait "
		"1300\n= nothing\nrelease\n< 226 Transfer complete\n" },
	{ "none for a download", kept_waiting,
		"> @LOGIN\n> PASV\n< 227\ndata open\nlate send\n> RETR f\n< 150\nwait 1300\n= "
		"nothing\nrelease\n< 226 Transfer complete\n" },
};

static const struct limit_row time_rows[] = {
	{ "login", one_second, "< 220\n< 421 No login in time.\n= closed\n" },
	{ "login, while somebody talks", one_second,
		"< 220\nwait 400\n> NOOP\n< 200\nwait 200\n> USER u\n< 331\n< 421 No login in "
		"time.\n= closed\n" },
	{ "login, while somebody begins anew", one_second,
		"< 220\nwait 500\n> REIN\n< 220\n< 421 No login in time.\n= closed\n" },
	{ "idle", one_second, "> @LOGIN\n< 421 Idle for too long.\n= closed\n" },
	{ "idle counts from the last command", one_second,
		"> @LOGIN\nwait 600\n> NOOP\n< 200\nwait 600\n> NOOP\n< 200\n< 421\n= closed\n" },
	{ "a transfer is not idle", one_second,
		"> @LOGIN\n> PASV\n< 227\ndata open\nlate send\n> RETR f\n< 150\nwait "
		"1300\nrelease\n< 226\n> NOOP\n< 200\n" },
	{ "the data connection", short_data,
		"> @LOGIN\n> PASV\n< 227\n> RETR f\n< 425 The data connection was not made in "
		"time.\n> NOOP\n< 200\n> RETR f\n< 425\n" },
	{ "a passive port that is not used", short_data,
		"> @LOGIN\n> PASV\n< 227\nwait 1300\n> RETR f\n< 425 Use PASV\n> PWD\n< 257\n" },
	{ "a client that reads nothing", one_second,
		"> @LOGIN\nflood 40000 HELP\nsessions 1\nsessions 0\n" },
	{ "an operation", one_second,
		"> @LOGIN\nlate stat\n> MDTM f\n< 451\ncomplaints 1\n> NOOP\n< 200\n" },
	{ "a transfer without progress", one_second,
		"> @LOGIN\n> PASV\n< 227\ndata open\nlate send\n> RETR f\n< 150\n< 426\ndata "
		"gone\n> NOOP\n< 200\n" },
	{ "an upload without progress", one_second,
		"> @LOGIN\n> PASV\n< 227\ndata open\nlate receive\n> STOR f\n< 150\n< 426\n> "
		"NOOP\n< 200\n"
		"worker upload_open /f; receive; cancel; discard; \n" },
};

static const struct limit_row shared_rows[] = {
	{ "a download, the client first", shared_ports,
		"> @LOGIN\n> EPSV\n< 229\ndata open\nports left 1\n> RETR f\n< 150\n< 226\ndata is "
		"hello\nports left 1\n" },
	{ "a download, the command first", shared_ports,
		"> @LOGIN\n> PASV\n< 227\n> RETR f\nsettle\ndata open\n< 150\n< 226\ndata is "
		"hello\nports left 1\n" },
	{ "an upload", shared_ports,
		"> @LOGIN\n> PASV\n< 227\n> STOR f\nsettle\ndata open\ndata send content\ndata "
		"end\n< "
		"150\n< 226\nreceived content\n" },
	{ "each port is for one command", shared_ports,
		"> @LOGIN\n> PASV\n< 227\ndata open\n> RETR f\n< 150\n< 226\ndata is hello\n> RETR "
		"f\n< 425 Use PASV\n> PASV\n< 227\ndata open\n> RETR f\n< 150\n< 226\ndata is "
		"hello\nports left 2\n" },
	{ "a second PASV", shared_ports,
		"> @LOGIN\n> PASV\n< 227\ndata open\nports left 1\n> EPSV\n< 229\ndata gone\ndata "
		"open\n> RETR f\n< 150\n< 226\ndata is hello\n> EPSV\n< 229\n> EPSV\n< 229\nports "
		"left "
		"3\n" },
	{ "whoever comes too late is sent away", shared_ports,
		"> @LOGIN\n> PASV\n< 227\ndata open\nports left 1\nintruders\n> RETR f\n< 150\n< "
		"226\ndata is hello\nintruders\n> NOOP\n< 200\n" },
	{ "PORT instead", shared_ports,
		"> @LOGIN\n> PASV\n< 227\ndata listen\n> PORT 127,0,0,1,@PORT\n< 200\nports left "
		"1\n> "
		"RETR f\ndata accept\n< 150\n< 226\ndata is hello\n" },
	{ "none left", no_shared_ports, "> @LOGIN\n> PASV\n< 425\n> EPSV\n< 425\n> NOOP\n< 200\n" },
	{ "nobody comes", shared_ports,
		"> @LOGIN\n> PASV\n< 227\n> RETR f\n< 425 The data connection was not made in "
		"time.\nports left 1\n> NOOP\n< 200\n" },
	{ "a port that is not used", shared_ports,
		"> @LOGIN\n> PASV\n< 227\nports left 1\n> RETR f\n< 425 Use PASV\n" },
	{ "the session ends", shared_ports, "> @LOGIN\n> PASV\n< 227\nhang\nports left 1\n" },
	{ "the supervisor dies", shared_ports,
		"> @LOGIN\n> PASV\n< 227\nsupervisor dies\nsettle\n> PASV\n< 425\n> RETR f\n< "
		"425\n" },
};

#define HEADER      ">> PROXY TCP4 192.0.2.7 203.0.113.5 4000 21\\r\\n\n"
#define DATA_HEADER "data send PROXY TCP4 192.0.2.7 203.0.113.5 4001 21\\r\\n\n"

static const struct limit_row proxy_rows[] = {
	{ "greeting only after the header", behind_proxy,
		"= nothing\n" HEADER "< 220\n> QUIT\n< 221\n" },
	{ "login", behind_proxy, HEADER "> @LOGIN\nclaimed 192.0.2.7:4000\n" },
	{ "the header and what follows in one segment", behind_proxy,
		">> PROXY TCP6 2001:db8::7 ::1 1 2\\r\\nUSER u\\r\\nPASS secret\\r\\n\n< 220\n< "
		"331\n< 230\n"
		"claimed [2001:db8::7]:1\n" },
	{ "in two segments", behind_proxy,
		">> PROXY TCP4 192.0.2.7 203.0.\nsettle\n>> 113.5 4000 21\\r\nsettle\n>> \\n\n< "
		"220\n" },
	{ "nobody is named", behind_proxy, ">> PROXY UNKNOWN\\r\\n\n> @LOGIN\nclaimed nobody\n" },
	{ "no header", behind_proxy, "> USER u\n= closed\nevents turned_away\n" },
	{ "a header that is none", behind_proxy,
		">> PROXY TCP4 x\\r\\n\n= closed\nevents turned_away\n" },
	{ "the client's own port", behind_proxy,
		HEADER "> @LOGIN\n> PORT 192,0,2,7,100,100\n< 502 No active mode\n> EPRT "
		       "|1|192.0.2.7|40000|\n"
		       "< 502\n> NOOP\n< 200\n" },
	{ "PASV tells what the client has reached", behind_proxy,
		HEADER "> @LOGIN\n> PASV\n< 227 Entering Passive Mode (203,0,113,5,\n" },
	{ "an IPv6 client", behind_proxy,
		">> PROXY TCP6 2001:db8::7 ::1 1 2\\r\\n\n> @LOGIN\n> PASV\n< 425 Use EPSV\n> EPSV "
		"1\n< 522\n"
		"> EPSV 2\n< 229\n" },
	{ "data, the client first", behind_proxy,
		HEADER "> @LOGIN\n> PASV\n< 227\ndata open\n" DATA_HEADER
		       "> RETR f\n< 150\n< 226\ndata is hello\n" },
	{ "data, the command first, the header late", behind_proxy,
		HEADER
		"> @LOGIN\n> PASV\n< 227\n> RETR f\nsettle\ndata open\n= nothing\n" DATA_HEADER
		"< 150\n< 226\ndata is hello\n" },
	{ "an upload has nothing of the header", behind_proxy,
		HEADER "> @LOGIN\n> PASV\n< 227\n> STOR f\nsettle\ndata open\n" DATA_HEADER
		       "data send content\ndata end\n< 150\n< 226\nreceived content\n" },
	{ "data of another client", behind_proxy,
		HEADER
		"> @LOGIN\n> PASV\n< 227\n> RETR f\nsettle\ndata open\n"
		"data send PROXY TCP4 192.0.2.8 203.0.113.5 4001 21\\r\\n\ndata gone\n= nothing\n"
		"data open\n" DATA_HEADER "< 150\n< 226\ndata is hello\n" },
	{ "data without a header", behind_proxy,
		HEADER "> @LOGIN\n> PASV\n< 227\n> STOR f\nsettle\ndata open\ndata send "
		       "content\ndata gone\n= "
		       "nothing\n> ABOR\n< 425\n< 226\n" },
	{ "data at a shared port", behind_proxy_shared,
		HEADER "> @LOGIN\n> PASV\n< 227\ndata open\n= nothing\n" DATA_HEADER
		       "ports left 1\n> RETR f\n< 150\n< 226\ndata is hello\n" },
	{ "data of another client at a shared port", behind_proxy_shared,
		HEADER "> @LOGIN\n> PASV\n< 227\ndata open\n"
		       "data send PROXY TCP4 192.0.2.8 203.0.113.5 4001 21\\r\\n\ndata gone\ndata "
		       "open\n" DATA_HEADER "> RETR f\n< 150\n< 226\ndata is hello\n" },
	{ "the session ends while a proxy has not said whose data it is", behind_proxy_shared,
		HEADER "> @LOGIN\n> PASV\n< 227\ndata open\nsettle\n> QUIT\n< 221\n= closed\ndata "
		       "gone\n" },
	{ "clients are counted, not the proxy", one_of_an_address_by_proxy,
		HEADER "< 220\nhang\nsettle\ncrowd 3\nconnect\n" HEADER "< 220\n" },
	{ "a client is counted, by whatever connection it comes", one_of_an_address_by_proxy,
		HEADER "< 220\nanother\n" HEADER "< 421 Too many connections\n= closed\n" },
	{ "no header in time", one_second_by_proxy, ">> PROXY \n= closed\nevents turned_away\n" },
	{ "a header, and no login in time", one_second_by_proxy,
		"wait 400\n" HEADER "< 220\n< 421 No login in time.\n= closed\n" },
	{ "the gateway leaves while one waits", behind_proxy,
		">> PROXY \nsettle\nsupervisor dies\n= closed\n" },
};

static void
check_limit(void **state)
{
	const struct limit_row *row = *state;
	struct house house;
	house_init(&house);
	row->set(&house);
	house_open(&house);
	script_run(&house, row->script);
	house_close(&house);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("number", number_rows, check_limit),
		TABLE("time", time_rows, check_limit),
		TABLE("shared ports", shared_rows, check_limit),
		TABLE("behind a proxy", proxy_rows, check_limit),
		TABLE("an upload that is stored slowly", keepalive_rows, check_limit),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
