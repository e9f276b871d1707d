/*
 * Dialogues over a real control connection, with stand-ins for all other processes (script.h): what
 * FTP 1 to 3 and DECISIONS 31 to 34 promise.
 */
#include "tests/unit/gateway/dialogue.h"

static const struct dialogue_row access_rows[] = {
	{ "greeting and goodbye", "< 220 Welcome.\n> QUIT\n< 221 \n= closed\n" },
	{ "login", "> @LOGIN\n> PWD\n< 257 \"/\" \n> QUIT\n< 221\n= closed\n" },
	{ "wrong password", "< 220\n> USER u\n< 331\n> PASS no\n< 530 Login incorrect.\n"
			    "> PASS secret\n< 503\n> USER u\n< 331\n> PASS secret\n< 230\n" },
	{ "three wrong passwords",
		"< 220\n> USER u\n< 331\n> PASS a\n< 530\n> USER u\n< 331\n> PASS b\n< 530\n"
		"> USER u\n< 331\n> PASS c\n< 530\n< 421\n= closed\n" },
	{ "any name is asked for its password",
		"< 220\n> USER %n%s../root\n< 331 Password required.\n" },
	{ "an overlong name",
		"< 220\n> USER "
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxx\n< 501\n> PASS x\n< 503\n" },
	{ "an empty password is one", "< 220\n> USER u\n< 331\n> PASS\n< 530\n" },
	{ "password without a name", "< 220\n> PASS secret\n< 503\n" },
	{ "USER needs a name", "< 220\n> USER\n< 501\n> USER \n< 501\n" },
	{ "USER and PASS once logged in", "> @LOGIN\n> USER v\n< 503\n> PASS secret\n< 503\n" },
	{ "account", "< 220\n> ACCT a\n< 202\n" },
	{ "no room for one more session", "< 220\nrefuse too-many-sessions\n> USER u\n< 331\n> "
					  "PASS secret\n< 421\n= closed\n" },
	{ "not allowed here",
		"< 220\nrefuse account-not-allowed\n> USER u\n< 331\n> PASS secret\n< 530\nrefuse "
		"none\n> USER u\n< 331\n> PASS secret\n< 230\n" },
	{ "auth dies while it verifies, and the next one is asked",
		"< 220\n> USER u\n< 331\nlate verdict\n> PASS secret\nsettle\nauth dies\n"
		"= nothing\nauth returns\nasked 2\nverdicts\n< 230\n> PWD\n< 257\n" },
	{ "the next auth dies, too", "< 220\n> USER u\n< 331\nlate verdict\n> PASS secret\n"
				     "settle\nauth dies\nsettle\nauth returns\nasked 2\nauth "
				     "dies\n< 421\n= closed\n" },
	{ "a host",
		"< 220 Welcome.\n> HOST Example.ORG\n< 220 At the example.\n> HOST b\n< 220 B.\n"
		"> USER u\n< 331\n> PASS secret\n< 230\nhost b\n" },
	{ "no host", "> @LOGIN\nhost \n" },
	{ "a host that is none", "< 220\n> HOST example.net\n< 504\n> HOST example\n< 504\n"
				 "> HOST 192.0.2.1\n< 504\n> HOST [::1]\n< 504\n"
				 "> USER u\n< 331\n> PASS secret\n< 230\nhost \n" },
	{ "no name of a host", "< 220\n> HOST\n< 501\n> HOST a b\n< 501\n> HOST b:21\n< 501\n"
			       "> HOST %n\n< 501\n> HOST [::1\n< 501\n> HOST b\xc3\n< 501\n" },
	{ "a host too late", "< 220\n> USER u\n< 331\n> HOST b\n< 503\n> PASS secret\n< 230\n"
			     "> HOST b\n< 503\nhost \n" },
	{ "a host after a wrong password", "< 220\n> USER u\n< 331\n> PASS no\n< 530\n> HOST b\n"
					   "< 220\n> USER u\n< 331\n> PASS secret\n< 230\n"
					   "host b\n" },
	{ "begin anew, at no host",
		"< 220\n> HOST b\n< 220 B.\n> REIN\n< 220\n> USER u\n< 331\n> PASS secret\n"
		"< 230\nhost \n" },
	{ "the address that the client reached", "< 220\n> HOST 127.0.0.1\n< 220 Welcome.\n" },
	{ "begin anew without a login",
		"< 220\n> REIN\n< 220\n> USER u\n< 331\n> REIN\n< 220\n> PASS secret\n< 503\n" },
	{ "begin anew", "> @LOGIN\n> CWD /d\n< 250\n> REIN\n< 220\n> PWD\n< 530\n> USER u\n< 331\n"
			"> PASS secret\n< 230\n> PWD\n< 257 \"/\"\n" },
	{ "auth restarts before the password", "< 220\n> USER u\n< 331\nauth dies\nsettle\n> PASS "
					       "secret\n= nothing\nauth returns\n"
					       "< 230\n> PWD\n< 257\n" },
	{ "everything in one segment",
		"< 220\n>> USER u\\r\\nPASS secret\\r\\nPWD\\r\\nCWD /d\\r\\nPWD\\r\\nQUIT\\r\\n\n"
		"< 331\n< 230\n< 257 \"/\"\n< 250\n< 257 \"/d\"\n< 221\n= closed\n" },
	{ "everything at once and nothing more",
		"< 220\n>> USER u\\r\\nPASS secret\\r\\nPWD\\r\\n\nhalf\n< 331\n< 230\n< 257 "
		"\"/\"\n"
		"= closed\n" },
};

static const struct dialogue_row line_rows[] = {
	{ "bare line feed", "< 220\n>> NOOP\\nSYST\\n\n< 200\n< 215 UNIX Type: L8\n" },
	{ "any case", "< 220\n> nOoP\n< 200\n> noop\n< 200\n" },
	{ "unknown verb, not echoed", "< 220\n> BOGUS\n< 500 Unknown command.\n" },
	{ "empty line", "< 220\n> \n< 500\n> NOOP\n< 200\n" },
	{ "a blank first", "< 220\n>>  NOOP\\r\\n\n< 500\n" },
	{ "high bytes in a verb", "< 220\n> N\\xc3\\xb6OP\n< 500\n" },
	{ "NUL inside", "< 220\n> NOOP\\0\n< 501\n> NOOP\n< 200\n" },
	{ "bare carriage return inside", "< 220\n> NO\\rOP\n< 501\n> NOOP\n< 200\n" },
	{ "Telnet commands everywhere", "< 220\n>> "
					"\\xff\\xf4\\xff\\xf2N\\xff\\xfb\\x01OO\\xff\\xf1P\\xff\\xf"
					"9\\r\\xff\\xf1\\n\n< 200\n" },
	{ "a Telnet command in two segments",
		"< 220\n>> NO\\xff\nsettle\n>> \\xf1OP\\r\\n\n< 200\n" },
	{ "a line in many segments",
		"< 220\n>> N\nsettle\n>> OO\nsettle\n>> P\\r\nsettle\n>> \\n\n< 200\n" },
	{ "argument where none belongs", "< 220\n> NOOP x\n< 501\n> FEAT x\n< 501\n" },
	{ "not logged in",
		"< 220\n> LIST\n< 530\n> MFMT x\n< 530\n> STAT\n< 530\n> ABOR\n< 530\n" },
	{ "known, not offered", "< 220\n> AUTH TLS\n< 502\n> SMNT x\n< 530\n" },
	{ "HTTP", "< 220\n> GET / HTTP/1.1\n< 421\n= closed\n" },
	{ "an HTTP header", "< 220\n> Host: example\n< 421\n= closed\n" },
	{ "SMTP", "< 220\n> EHLO x\n< 421\n= closed\n" },
	{ "a TLS client", "< 220\n>> \\x16\\x03\\x01\\x02\\x00\\x01\\x00\n= closed\n" },
	{ "HELP", "< 220\n> HELP\n< 214-\n<< 214 \n> HELP RETR\n< 214 RETR path: \n"
		  "> HELP AUTH\n< 214 AUTH is not\n> HELP XYZZY\n< 502\n> HELP GET\n< 502\n" },
	{ "FEAT", "< 220\n> FEAT\n< 211-Features:\n<<  EPRT\n<<  SIZE\n<<  MDTM\n"
		  "<<  MLST "
		  "type*;size*;modify*;create*;perm*;unique*;UNIX.mode*;UNIX.owner*;UNIX.group*;\n"
		  "<< 211 End\n" },
};

static const struct dialogue_row folder_rows[] = {
	{ "the working directory",
		"> @LOGIN\n> CWD a\n< 250\n> CWD b/../c\n< 250\n> PWD\n< 257 \"/a/c\" \n> CDUP\n< "
		"250\n"
		"> XPWD\n< 257 \"/a\"\n> CWD ..\n< 250\n> CWD ../..\n< 250\n> PWD\n< 257 \"/\"\n"
		"worker enter /a; enter /a/c; enter /a; enter /; enter /; \n" },
	{ "quotes are doubled", "> @LOGIN\n> CWD a\"b\n< 250\n> PWD\n< 257 \"/a\"\"b\"\n" },
	{ "control characters do not leave",
		"> @LOGIN\n> CWD a\\x1b\\x07b\n< 250\n> PWD\n< 257 \"/a??b\"\n" },
	{ "blanks belong to the name", "> @LOGIN\n> CWD  a b \n< 250\n> PWD\n< 257 \"/ a b \"\n" },
	{ "no such folder", "> @LOGIN\nfail enter ENOENT\n> CWD x\n< 550\n> PWD\n< 257 \"/\"\n" },
	{ "make and remove", "> @LOGIN\n> MKD a\"b\n< 257 \"/a\"\"b\" \n> XMKD x\n< 257 \"/x\"\n"
			     "> RMD x\n< 250\nfail rmdir EEXIST\n> XRMD y\n< 550\n" },
	{ "a name too long",
		"> @LOGIN\n> CWD "
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n< 250\n"
		"> CWD "
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n< 553\n" },
};

static const struct dialogue_row file_rows[] = {
	{ "delete", "> @LOGIN\n> DELE f\n< 250\nfail unlink EISDIR\n> DELE d\n< 550\n" },
	{ "rename", "> @LOGIN\n> RNFR f\n< 350\n> RNTO g\n< 250\nworker stat /f; rename /f; \n" },
	{ "rename, nothing there",
		"> @LOGIN\nfail stat ENOENT\n> RNFR f\n< 550\n> RNTO g\n< 503\n" },
	{ "rename, bad target", "> @LOGIN\n> RNFR f\n< 350\nfail rename ENOENT\n> RNTO x/g\n< "
				"553\n> RNTO g\n< 503\n" },
	{ "RNTO must follow at once",
		"> @LOGIN\n> RNFR f\n< 350\n> NOOP\n< 200\n> RNTO g\n< 503\n" },
	{ "size", "> @LOGIN\n> SIZE f\n< 213 5\nfail size_as EFBIG\n> SIZE f\n< 550\nfail size_as "
		  "EISDIR\n> SIZE d\n< 550\n" },
	{ "time", "> @LOGIN\n> MDTM f\n< 213 20010909014640\nfail stat ENOENT\n> MDTM x\n< 550\n" },
	{ "facts", "> @LOGIN\n> MLST f\n< 250-\n<  type=file;size=5; /f\n< 250 \n> MLST\n< 250-\n< "
		   " type=file;size=5; /\n< 250 \n" },
	{ "chosen facts",
		"> @LOGIN\n> OPTS MLST size;bogus;UNIX.MODE;\n< 200 MLST OPTS size;UNIX.mode;\n"
		"> OPTS mlst\n< 200 MLST OPTS \n> FEAT\n<<  MLST type;size;modify;create;perm;\n<< "
		"211\n" },
	{ "denied looks like any other denial",
		"> @LOGIN\nfail stat EACCES\n> MDTM f\n< 550 Permission denied.\n" },
};

static const struct dialogue_row parameter_rows[] = {
	{ "TYPE",
		"> @LOGIN\n> TYPE i\n< 200\n> TYPE A\n< 200\n> TYPE a n\n< 200\n> TYPE A T\n< 200\n"
		"> TYPE L 8\n< 200\n> TYPE L 7\n< 504\n> TYPE E\n< 504\n> TYPE A C\n< 504\n> "
		"TYPE\n< 501\n" },
	{ "STRU", "> @LOGIN\n> STRU F\n< 200\n> STRU R\n< 504\n> STRU x\n< 501\n> STRU\n< 501\n" },
	{ "MODE",
		"> @LOGIN\n> MODE s\n< 200\n> MODE B\n< 504\n> MODE z\n< 200\n> MODE Q\n< 501\n" },
	{ "MODE Z, and which it is",
		"> @LOGIN\n> STAT\n<<  TYPE A, STRU F, MODE S\n<< 211 \n> MODE Z\n< 200\n> "
		"STAT\n<<  TYPE A, STRU F, MODE Z\n<< 211 \n> MODE S\n< 200\n> STAT\n<<  TYPE A, "
		"STRU F, MODE S\n<< 211 \n" },
	{ "MODE Z is announced to those who may have it",
		"< 220\n> FEAT\n<<  MODE Z\n<< 211 End\nno mode z\n> USER u\n< 331\n> PASS "
		"secret\n< 230\n> MODE Z\n< 504\n> OPTS MODE Z LEVEL 9\n< 501\n> FEAT\n<<  "
		"RANG STREAM\n<  AVBL\n<< 211 End\n> REIN\n< 220\n> FEAT\n<<  MODE Z\n<< 211 "
		"End\n" },
	{ "OPTS MODE Z", "< 220\n> OPTS MODE Z LEVEL 9\n< 200 MODE Z LEVEL is 9.\n> opts mode z "
			 "level 0\n< 200 MODE Z LEVEL is 0.\n> OPTS MODE Z\n< 200 MODE Z LEVEL is "
			 "6.\n> OPTS MODE Z LEVEL 10\n< 501\n> OPTS MODE Z LEVEL -1\n< 501\n> OPTS "
			 "MODE Z LEVEL\n< 501\n> OPTS MODE Z BLOCKSIZE 9\n< 501\n> OPTS MODE S\n< "
			 "501\n> OPTS MODE\n< 501\n" },
	{ "REST", "> @LOGIN\n> TYPE I\n< 200\n> REST 0\n< 350\n> REST 9223372036854775807\n< 350\n"
		  "> REST 9223372036854775808\n< 501\n> REST -1\n< 501\n> REST 1e9\n< 501\n> REST "
		  "\\xc2\\xb2\n< 501\n> REST\n< 501\n" },
	{ "REST in TYPE A", "> @LOGIN\n> REST 5\n< 504\n> REST 0\n< 350\n" },
	{ "OPTS", "< 220\n> OPTS UTF8 ON\n< 200\n> OPTS utf8\n< 200\n> OPTS UTF8 OFF\n< 200\n> "
		  "OPTS UTF8 x\n< 501\n> OPTS XYZZY x\n< 501\n> OPTS\n< 501\n" },
	{ "the choice of characters, and what becomes of the folder",
		"> @LOGIN\n> CWD d\n< 250\nworker enter /d; \n> OPTS UTF8 OFF\n< 200\n> PWD\n"
		"< 257 \"/in-latin\"\n> OPTS UTF8 ON \n< 200\n> PWD\n< 257 \"/in-utf8\"\n"
		"worker charset /d; charset /in-latin; \n" },
	{ "a user without another character set",
		"> @LOGIN\n> CWD d\n< 250\nfail charset ENOTSUP\n> OPTS UTF8 OFF\n< 504\n> PWD\n"
		"< 257 \"/d\"\n" },
	{ "UTF-8 chosen before the login, and told to every worker",
		"< 220\n> OPTS UTF8 ON\n< 200\n> USER u\n< 331\n> PASS secret\n< 230\n"
		"worker charset /; \n> CWD d\n< 250\nworker enter /d; \nworker dies\n> PWD\n"
		"< 257 \"/d\"\n> DELE f\n< 250\nworker charset /; unlink /d/f; \n" },
	{ "the user's characters chosen before the login",
		"< 220\n> OPTS UTF8 ON\n< 200\n> OPTS UTF8 OFF\n< 200\n> USER u\n< 331\n"
		"> PASS secret\n< 230\n> DELE f\n< 250\nworker unlink /f; \n" },
	{ "characters chosen while there is no worker",
		"> @LOGIN\nworker dies\nsettle\n> OPTS UTF8 ON\n< 200\nworker charset /; \n" },
	{ "begin anew, in the user's characters",
		"> @LOGIN\n> OPTS UTF8 ON\n< 200\nworker charset /; \n> REIN\n< 220\n> USER u\n"
		"< 331\n> PASS secret\n< 230\n> DELE f\n< 250\nworker unlink /f; \n" },
	{ "LANG", "< 220\n> LANG\n< 200\n> LANG EN\n< 200\n> LANG en-gb\n< 200\n> LANG FR\n< 504\n"
		  "> LANG E\n< 504\n> LANG ENX\n< 504\n> LANG e_n\n< 501\n> LANG %n\n< 501\n"
		  "> FEAT\n<<  LANG EN*\n<<  UTF8\n<< 211\n" },
};

static const struct dialogue_row data_rows[] = {
	{ "no data connection was set up", "> @LOGIN\n> RETR f\n< 425\n> LIST\n< 425\n" },
	{ "nor a file to send", "> @LOGIN\nfail open ENOENT\n> RETR f\n< 550\nfail upload_open "
				"EISDIR\n> STOR d\n< 553\n" },
	{ "one set-up, one transfer",
		"> @LOGIN\n> EPSV\n< 229\ndata open\n> LIST\n< 150\n< "
		"226\ndata is listing list by name, show 0: |\\r\\n\n> LIST\n< 425\n" },
	{ "EPSV 1",
		"> @LOGIN\n> EPSV 1\n< 229\n> EPSV 2\n< 522 \n> EPSV 3\n< 522\n> EPSV x\n< 501\n" },
	{ "EPSV ALL", "> @LOGIN\n> EPSV ALL\n< 200\n> PASV\n< 503\n> PORT 127,0,0,1,4,1\n< 503\n> "
		      "EPRT |1|127.0.0.1|5000|\n< 503\n"
		      "> EPSV\n< 229\n" },
	{ "active", "> @LOGIN\n> TYPE I\n< 200\ndata listen\n> PORT 127,0,0,1,@PORT\n< 200\n> RETR "
		    "f\n< 150\n< 226\n"
		    "data accept\ndata is hello\n> RETR f\n< 425\n" },
	{ "active, extended", "> @LOGIN\n> TYPE I\n< 200\ndata listen\n> EPRT "
			      "|1|127.0.0.1|@EPORT|\n< 200\n> RETR f\n< 150\n< 226\n"
			      "data accept\ndata is hello\n" },
	{ "active, nobody listens",
		"> @LOGIN\n> PORT 127,0,0,1,4,1\n< 200\n> RETR f\n< 425\n> NOOP\n< 200\n" },
	{ "no bounce", "> @LOGIN\n> PORT 127,0,0,2,20,1\n< 501\n> PORT 0,0,0,0,20,1\n< 501\n> PORT "
		       "127,0,0,1,0,25\n< 501\n"
		       "> EPRT |1|127.0.0.2|5000|\n< 501\n> EPRT |2|::ffff:127.0.0.1|5000|\n< "
		       "501\n> EPRT |2|::1|5000|\n< 501\n"
		       "> EPRT |1|127.0.0.1|25|\n< 501\n> EPRT |3|x|5000|\n< 522\n> PORT 1,2,3\n< "
		       "501\n> RETR f\n< 425\n" },
	{ "PASV replaces PORT", "> @LOGIN\n> TYPE I\n< 200\n> PORT 127,0,0,1,4,1\n< 200\n> PASV\n< "
				"227\n> RETR f\ndata open\n< 150\n< 226\ndata is hello\n" },
};

static const struct dialogue_row download_rows[] = {
	{ "connection first", "> @LOGIN\n> TYPE I\n< 200\n> PASV\n< 227\ndata open\n> RETR f\n"
			      "< 150 Opening BINARY mode data connection (5 bytes).\n"
			      "< 226 Transfer complete: 5 bytes\ndata is hello\n"
			      "worker open /f; send; close; \n" },
	{ "command first", "> @LOGIN\n> TYPE I\n< 200\n> EPSV\n< 229\n> RETR f\n= nothing\ndata "
			   "open\n< 150\n< 226\ndata is hello\n" },
	{ "no such file", "> @LOGIN\n> PASV\n< 227\ndata open\nfail open ENOENT\nfail send "
			  "ENOENT\n> RETR f\n< 550\ndata gone\n> NOOP\n< 200\n" },
	{ "no such file, not connected",
		"> @LOGIN\n> PASV\n< 227\nfail open ENOENT\n> RETR f\n< 550\n> PWD\n< 257\n" },
	{ "restart",
		"> @LOGIN\n> TYPE I\n< 200\n> PASV\n< 227\ndata open\n> REST 2\n< 350\n> RETR f\n"
		"< 150 Opening BINARY mode data connection (3 bytes).\n< 226\ndata is llo\n" },
	{ "restart before the set-up", "> @LOGIN\n> TYPE I\n< 200\n> REST 3\n< 350\n> PASV\n< "
				       "227\ndata open\n> RETR f\n< 150\n< 226\ndata is lo\n" },
	{ "restart is forgotten",
		"> @LOGIN\n> TYPE I\n< 200\n> PASV\n< 227\ndata open\n> REST 2\n< 350\n> NOOP\n< "
		"200\n> RETR f\n< 150\n< 226\ndata is hello\n" },
	{ "restart outlives questions, as Net::FTP puts them",
		"> @LOGIN\n> TYPE I\n< 200\n> PASV\n< 227\ndata open\n> REST 2\n< 350\n> FEAT\n<< "
		"211 End\n> HELP ALLO\n< 214\n> ALLO 3\n< 200\n> RETR f\n< 150\n< 226\ndata is "
		"llo\n" },
	{ "restart at the end", "> @LOGIN\n> TYPE I\n< 200\n> PASV\n< 227\ndata open\n> REST 5\n< "
				"350\n> RETR f\n< 150\n< 226\ndata gone\n" },
	{ "restart beyond the end",
		"> @LOGIN\n> TYPE I\n< 200\n> PASV\n< 227\ndata open\nlate send\n> REST 6\n< "
		"350\n> RETR f\n< 554\ndata gone\n> NOOP\n< 200\n" },
	{ "the client breaks the connection",
		"> @LOGIN\n> PASV\n< 227\ndata open\nfail send ECONNRESET\n> RETR f\n< 150\n< "
		"426\n> NOOP\n< 200\n" },
	{ "restart beyond the end, not connected",
		"> @LOGIN\n> TYPE I\n< 200\n> PASV\n< 227\n> REST 6\n< 350\n> RETR f\n< 554\n> "
		"NOOP\n< 200\n" },
	{ "a stall", "> @LOGIN\n> PASV\n< 227\ndata open\nfail send ETIMEDOUT\n> RETR f\n< 150\n< "
		     "426\n> NOOP\n< 200\n" },
	{ "the worker dies", "> @LOGIN\n> PASV\n< 227\ndata open\nlate send\n> RETR f\n< "
			     "150\nworker dies\n< 451\ndata gone\nrelease\n"
			     "> PASV\n< 227\ndata open\n> RETR f\n< 150\n< 226\n" },
	{ "the worker dies before the connection",
		"> @LOGIN\n> PASV\n< 227\n> RETR f\nsettle\nworker dies\n< 451\n> CWD x\n< 250\n" },
	{ "the worker dies and no other comes, for now",
		"> @LOGIN\nworker dies\nsettle\nrefuse too-often\n> CWD x\n< 451\n> NOOP\n< 200\n> "
		"CWD x\n< 451\nrefuse none\n> CWD x\n< 250\n" },
	{ "the worker dies and the account is gone",
		"> @LOGIN\nworker dies\nsettle\nrefuse account-not-allowed\n> CWD x\n< 421\n= "
		"closed\n" },
	{ "the worker dies between commands",
		"> @LOGIN\nworker dies\nsettle\n> CWD x\n< 250\n> PWD\n< 257 \"/x\"\n" },
};

static const struct dialogue_row upload_rows[] = {
	{ "store", "> @LOGIN\n> PASV\n< 227\ndata open\ndata send bytes\ndata end\n> STOR f\n< "
		   "150\n< 226 Transfer complete: 5 bytes\n"
		   "worker upload_open /f; receive; commit; \nreceived bytes\n" },
	{ "store, command first",
		"> @LOGIN\n> PASV\n< 227\nlate receive\n> STOR f\n= nothing\ndata open\n< "
		"150\ndata send bytes\ndata end\nrelease\n< 226\n"
		"received bytes\n" },
	{ "refused before the connection", "> @LOGIN\n> PASV\n< 227\nfail upload_open EISDIR\n> "
					   "STOR d\n< 553\n> NOOP\n< 200\n" },
	{ "unique", "> @LOGIN\n> PASV\n< 227\ndata open\ndata end\n> STOU\n< 150 FILE: unique.1\n< "
		    "226\nworker upload_open /stou; receive; commit; \n" },
	{ "append", "> @LOGIN\n> PASV\n< 227\ndata open\ndata end\n> APPE f\n< 150\n< 226\n" },
	{ "restart beyond the end", "> @LOGIN\n> TYPE I\n< 200\n> PASV\n< 227\nfail upload_open "
				    "EINVAL\n> REST 9\n< 350\n> STOR f\n< 554\n" },
	{ "disk full", "> @LOGIN\n> PASV\n< 227\ndata open\ndata end\nfail receive ENOSPC\n> STOR "
		       "f\n< 150\n< 452\nworker upload_open /f; receive; discard; \n" },
	{ "quota", "> @LOGIN\n> PASV\n< 227\ndata open\ndata end\nfail commit EDQUOT\n> STOR f\n< "
		   "150\n< 552\n" },
	{ "a reset is not an end",
		"> @LOGIN\n> PASV\n< 227\ndata open\nfail receive ECONNRESET\n> STOR f\n< 150\n< "
		"426\nworker upload_open /f; receive; discard; \n" },
	{ "the client is killed", "> @LOGIN\n> PASV\n< 227\ndata open\nlate receive\n> STOR f\n< "
				  "150\ndata send half\nhang\ndata end\nsettle\nrelease\n"
				  "worker upload_open /f; receive; cancel; discard; \n" },
	{ "the worker dies", "> @LOGIN\n> PASV\n< 227\ndata open\nlate receive\n> STOR f\n< "
			     "150\nworker dies\n< 451\nrelease\n> NOOP\n< 200\n" },
};

static const struct dialogue_row overtake_rows[] = {
	{ "ABOR, idle", "> @LOGIN\n> ABOR\n< 226\n> ABOR\n< 226\n" },
	{ "ABOR while the connection is awaited",
		"> @LOGIN\n> PASV\n< 227\n> RETR f\nsettle\n> ABOR\n< 425\n< 226\n> NOOP\n< 200\n> "
		"RETR f\n< 425\n" },
	{ "ABOR of a download", "> @LOGIN\n> PASV\n< 227\ndata open\nlate send\n> RETR f\n< 150\n> "
				"ABOR\n< 426\n< 226\ndata gone\n> NOOP\n< 200\n" },
	{ "ABOR of an upload",
		"> @LOGIN\n> PASV\n< 227\ndata open\nlate receive\n> STOR f\n< 150\n> ABOR\n< "
		"426\n< 226\n"
		"worker upload_open /f; receive; cancel; discard; \n> NOOP\n< 200\n" },
	{ "ABOR while it is committed",
		"> @LOGIN\n> PASV\n< 227\ndata open\ndata end\nlate commit\n> STOR f\n< "
		"150\nsettle\n> ABOR\n< 426\n< 226\n> NOOP\n< 200\n" },
	{ "ABOR when it is done",
		"> @LOGIN\n> PASV\n< 227\ndata open\n> RETR f\n< 150\n< 226\n> ABOR\n< 226\n" },
	{ "STAT",
		"> @LOGIN\n> PASV\n< 227\n> RETR f\nsettle\n> STAT\n< 211 Waiting\nlate send\ndata "
		"open\n< 150\n> STAT\n< 211 Sending a file: 0 bytes\nrelease\n< 226\n" },
	{ "NOOP is answered after",
		"> @LOGIN\n> PASV\n< 227\ndata open\nlate send\n> RETR f\n< 150\n> NOOP\n> NOOP\n= "
		"nothing\nrelease\n< 226\n< 200\n< 200\n" },
	{ "QUIT is answered after", "> @LOGIN\n> PASV\n< 227\ndata open\nlate send\n> RETR f\n< "
				    "150\n> QUIT\n= nothing\nrelease\n< 226\n< 221\n= closed\n" },
	{ "QUIT and no more words: an upload counts",
		"> @LOGIN\n> PASV\n< 227\ndata open\nlate receive\n> STOR f\n< 150\n> "
		"QUIT\nhalf\ndata end\nsettle\nrelease\n< 226\n< 221\n= closed\n" },
	{ "ABOR after NOOP", "> @LOGIN\n> PASV\n< 227\ndata open\nlate send\n> RETR f\n< 150\n> "
			     "NOOP\n> ABOR\n< 426\n< 226\n< 200\n" },
	{ "others wait", "> @LOGIN\n> PASV\n< 227\ndata open\nlate send\n> RETR f\n< 150\n> PWD\n> "
			 "SYST\n> BOGUS\n= nothing\nrelease\n< 226\n< 257\n< 215\n< 500\n" },
	{ "ABOR waits behind another verb",
		"> @LOGIN\n> PASV\n< 227\ndata open\nlate send\n> RETR f\n< 150\n> PWD\n> ABOR\n= "
		"nothing\nrelease\n< 226\n< 257\n< 226\n" },
	{ "urgent ABOR does not wait", "> @LOGIN\n> PASV\n< 227\ndata open\nlate send\n> RETR f\n< "
				       "150\n> PWD\n> SYST\nsettle\nurgent \\xff\\xf4\\xff\n"
				       ">> \\xf2ABOR\\r\\n\n< 426\n< 226\n> NOOP\n< 200\n" },
	{ "ABOR as old clients send it",
		"> @LOGIN\n> PASV\n< 227\ndata open\nlate send\n> RETR f\n< 150\nurgent "
		"\\xff\\xf4\\xff\n>> \\xf2ABOR\\r\\n\n< 426\n< 226\n" },
	{ "ABOR again and again while it is committed: the worker hears of one",
		"> @LOGIN\n> PASV\n< 227\ndata open\ndata end\nlate commit\n> STOR f\n< "
		"150\nsettle\n>> ABOR\\r\\nABOR\\r\\nNOOP\\r\\nABOR\\r\\n\n< 426\n< 226\n< 226\n< "
		"226\n< 200\n"
		"worker upload_open /f; receive; commit; cancel; \n" },
	{ "a hang-up behind a held line, after an urgent ABOR",
		"> @LOGIN\n> PASV\n< 227\ndata open\nlate send\n> RETR f\n< 150\n> PWD\nsettle\n"
		"urgent \\xff\\xf4\\xff\n>> \\xf2ABOR\\r\\n\n< 426\n< 226\nrelease\n> PASV\n< "
		"227\nsettle\nworker open /f; send; close; cancel; \ndata open\nlate receive\n> "
		"STOR "
		"f\n< 150\n> PWD\n> SYST\nsettle\nhang\nsettle\ndata end\nrelease\n"
		"worker upload_open /f; receive; cancel; discard; \n" },
	{ "a hang-up behind a held line",
		"> @LOGIN\n> PASV\n< 227\ndata open\nlate receive\n> STOR f\n< 150\n> "
		"PWD\nsettle\nhang\nsettle\ndata end\nrelease\n"
		"worker upload_open /f; receive; cancel; discard; \n" },
};

/* What the worker is asked for; that it does it is tried elsewhere. */
static const struct dialogue_row deflated_rows[] = {
	{ "download, with REST's offset in the file",
		"> @LOGIN\n> TYPE I\n< 200\n> MODE Z\n< 200\n> OPTS MODE Z LEVEL 9\n< 200\n> "
		"PASV\n< 227\ndata open\n> REST 2\n< 350\n> RETR f\n< 150 Opening BINARY mode data "
		"connection (3 bytes).\n< 226\nworker open /f; send deflate 9; close; \n" },
	{ "upload", "> @LOGIN\n> MODE Z\n< 200\n> PASV\n< 227\ndata open\ndata end\n> STOR f\n< "
		    "150\n< 226\nworker upload_open /f; receive deflate 0; commit; \n" },
	{ "a damaged upload",
		"> @LOGIN\n> MODE Z\n< 200\n> PASV\n< 227\ndata open\ndata end\nfail receive "
		"EBADMSG\n> STOR f\n< 150\n< 451 The compressed data are damaged.\n"
		"worker upload_open /f; receive deflate 0; discard; \n" },
	{ "listing", "> @LOGIN\n> MODE Z\n< 200\n> PASV\n< 227\ndata open\n> NLST\n< 150\n< "
		     "226\nworker list /; send_listing deflate 6; close; \n" },
	{ "a listing as a reply is not deflated",
		"> @LOGIN\n> MODE Z\n< 200\n> STAT d\n< 212-\n<< 212 \nworker list /d; "
		"send_listing; close; \n" },
	{ "MODE S again", "> @LOGIN\n> MODE Z\n< 200\n> MODE S\n< 200\n> PASV\n< 227\ndata "
			  "open\n> RETR f\n< 150\n< 226\nworker open /f; send; close; \n" },
	{ "REIN ends it", "> @LOGIN\n> MODE Z\n< 200\n> REIN\n< 220\n> USER u\n< 331\n> PASS "
			  "secret\n< 230\n> PASV\n< 227\ndata open\n> RETR f\n< 150\n< "
			  "226\nworker open /f; send; close; \n" },
};

static const struct dialogue_row listing_rows[] = {
	{ "LIST", "> @LOGIN\n> PASV\n< 227\ndata open\n> LIST -la\n< 150\n< 226\ndata is listing "
		  "list by name, show 3: |\\r\\n\n" },
	{ "LIST with other options", "> @LOGIN\n> PASV\n< 227\ndata open\n> LIST -RtL a/b\n< "
				     "150\n< 226\ndata is listing "
				     "list by time, show 12: a/b|\\r\\n\n" },
	{ "LIST of names", "> @LOGIN\n> PASV\n< 227\ndata open\n> LIST -1 a\n< 150\n< 226\ndata is "
			   "listing names by name, show 0: |\\r\\n\n" },
	{ "LIST of two patterns",
		"> @LOGIN\n> PASV\n< 227\ndata open\n> LIST a/*/x?\n< 150\n< 226\ndata is listing "
		"list by name, show 0: |x?\\r\\n\nworker list /a; send_listing; close; \n" },
	{ "LIST of dots behind a pattern", "> @LOGIN\n> LIST -R */../*/..\n< 501\nworker \n" },
	{ "LIST of too many patterns", "> @LOGIN\n> LIST */*/*/*/*/*/*/*/*/*\n< 550\nworker \n" },
	{ "NLST of the current folder", "> @LOGIN\n> PASV\n< 227\ndata open\n> NLST\n< 150\n< "
					"226\ndata is listing names by name, show 0: |\\r\\n\n" },
	{ "NLST of another folder",
		"> @LOGIN\n> PASV\n< 227\ndata open\n> NLST a/b\n< 150\n< 226\ndata is listing "
		"names by name, show 0: a/b/|\\r\\n\nworker list /a/b; send_listing; close; \n" },
	{ "NLST of a file", "> @LOGIN\n> PASV\n< 227\ndata open\n> NLST a/f\n< 150\n< 226\ndata is "
			    "listing names by name, show 0: a/|\\r\\n\n" },
	{ "NLST of a folder itself",
		"> @LOGIN\n> PASV\n< 227\ndata open\n> NLST -d a/b\n< 150\n< 226\ndata is "
		"listing names by name, show 0: a/|\\r\\n\n" },
	{ "NLST of lines",
		"> @LOGIN\n> PASV\n< 227\ndata open\n> NLST -l a/b\n< 150\n< 226\ndata is "
		"listing list by name, show 0: |\\r\\n\n" },
	{ "NLST of a pattern",
		"> @LOGIN\n> PASV\n< 227\ndata open\n> NLST a/f*\n< 150\n< 226\ndata is listing "
		"names by name, show 0: a/|\\r\\n\nworker list /a; send_listing; close; \n" },
	{ "MLSD", "> @LOGIN\n> PASV\n< 227\ndata open\n> MLSD\n< 150\n< 226\ndata is listing facts "
		  "by none, show 1: |\\r\\n\n" },
	{ "MLSD of a file", "> @LOGIN\n> PASV\n< 227\nfail list ENOTDIR\n> MLSD f\n< 501\n" },
	{ "no such folder", "> @LOGIN\n> PASV\n< 227\nfail list ENOENT\n> LIST x\n< 550\n" },
	{ "STAT of a folder", "> @LOGIN\n> STAT d\n< 212-\n< listing list by name, show 0: /d|\n< "
			      "212 End\n> NOOP\n< "
			      "200\n" },
	{ "STAT with options and patterns",
		"> @LOGIN\n> STAT -1Ra x/*/y\n< 212-\n< listing list by name, show 11: /x|y\n< 212 "
		"End\n" },
	{ "STAT of dots behind a pattern", "> @LOGIN\n> STAT */..\n< 501\nworker \n" },
	{ "STAT of what cannot be shown as a whole", "> @LOGIN\nfail send_listing E2BIG\n> STAT "
						     "d\n< 212-\n<  ... not all: Cut short\n< 212 "
						     "End\n" },
	{ "STAT of a file",
		"> @LOGIN\n> STAT f\n< 213-\n< listing list by name, show 0: /f|\n< 213 End\n" },
	{ "STAT of nothing", "> @LOGIN\nfail list ENOENT\n> STAT x\n< 550\n" },
	{ "STAT alone", "> @LOGIN\n> STAT\n< 211-\n<< 211 End\n" },
	{ "the worker dies in STAT", "> @LOGIN\nlate send_listing\n> STAT d\n< 212-\nworker "
				     "dies\n<< 212\nrelease\n> CWD x\n< 250\n" },
};

static const struct dialogue_row order_rows[] = {
	{ "a session is closed",
		"> @LOGIN\nsupervisor closes\n< 421\n= closed\nevents disconnected\n" },
	{ "a session is closed in a transfer",
		"> @LOGIN\n> PASV\n< 227\ndata open\nlate send\n> RETR f\n< 150\nsupervisor "
		"closes\n< 421\n= closed\ndata gone\n" },
	{ "drained when idle", "> @LOGIN\nsupervisor drains\n< 421\n= closed\n" },
	{ "drained in a transfer",
		"> @LOGIN\n> PASV\n< 227\ndata open\nlate send\n> RETR f\n< 150\nsupervisor "
		"drains\n= nothing\nrelease\n< 226\n< 421\n= closed\n" },
	{ "the supervisor dies: what runs goes on",
		"> @LOGIN\n> PASV\n< 227\nsupervisor dies\nsettle\ndata open\n> RETR f\n< 150\n< "
		"226\ndata is hello\n"
		"> CWD x\n< 250\n> PASV\n< 425\n> QUIT\n< 221\n= closed\nsessions 0\n" },
	{ "the supervisor dies: no login any more", "< 220\nsupervisor dies\nsettle\n> USER u\n< "
						    "331\n> PASS secret\n< 421\n= closed\n" },
	{ "a worker that is broken ends its session",
		"> @LOGIN\nworker raves\n< 421\n= closed\nevents malformed\n" },
};

int
main(void)
{
	const struct table tables[] = {
		TABLE("access", access_rows, dialogue_check),
		TABLE("line", line_rows, dialogue_check),
		TABLE("folder", folder_rows, dialogue_check),
		TABLE("file", file_rows, dialogue_check),
		TABLE("parameter", parameter_rows, dialogue_check),
		TABLE("data", data_rows, dialogue_check),
		TABLE("download", download_rows, dialogue_check),
		TABLE("upload", upload_rows, dialogue_check),
		TABLE("overtake", overtake_rows, dialogue_check),
		TABLE("deflated", deflated_rows, dialogue_check),
		TABLE("listing", listing_rows, dialogue_check),
		TABLE("order", order_rows, dialogue_check),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
