/*
 * Dialogues of verbs beyond RFC 959, 2428 and 3659: digests, ranges; and what may overtake a long
 * command.
 */
#include "tests/unit/gateway/dialogue.h"

static const struct dialogue_row hash_rows[] = {
	{ "a file", "> @LOGIN\n> HASH f\n< 213 SHA-256 0-4 cafef00d f\nworker digest /f; \n" },
	{ "chosen by OPTS",
		"> @LOGIN\n> OPTS HASH\n< 200 SHA-256\n> OPTS HASH sha-512\n< 200 "
		"SHA-512\n> HASH f\n< 213 SHA-512 0-4 cafef00d f\n> OPTS HASH\n< 200 "
		"SHA-512\n> FEAT\n<<  HASH SHA-256;SHA-512*;SHA-1;MD5;CRC32\n<< 211\n" },
	{ "of a name that is none", "> @LOGIN\n> OPTS HASH MD4\n< 501 No such algorithm; it stays "
				    "SHA-256.\n> OPTS HASH CRC32 x\n< 501\n> OPTS HASH\n< 200 "
				    "SHA-256\n" },
	{ "the choice ends with REIN",
		"> @LOGIN\n> OPTS HASH MD5\n< 200 MD5\n> REIN\n< 220\n> USER "
		"u\n< 331\n> PASS secret\n< 230\n> OPTS HASH\n< 200 "
		"SHA-256\n" },
	{ "a range", "> @LOGIN\n> TYPE I\n< 200\n> RANG 1 3\n< 350 Restarting at 1. End byte range "
		     "at 3.\n> HASH f\n< 213 SHA-256 1-3 cafef00d f\n> HASH f\n< 213 SHA-256 0-4 "
		     "\n" },
	{ "a range that ends beyond the file",
		"> @LOGIN\n> TYPE I\n< 200\n> RANG 2 99\n< 350\n> HASH f\n< 213 SHA-256 2-4 \n" },
	{ "a range beyond the file", "> @LOGIN\n> TYPE I\n< 200\n> RANG 5 9\n< 350\n> HASH f\n< "
				     "554\n> RANG 6 9\n< 350\nfail digest EINVAL\n> HASH f\n< "
				     "554\n" },
	{ "REST is no range", "> @LOGIN\n> TYPE I\n< 200\n> REST 3\n< 350\n> HASH f\n< 213 SHA-256 "
			      "0-4 \n" },
	{ "a name with blanks", "> @LOGIN\n> HASH f a b \n< 213 SHA-256 0-4 cafef00d f a b \n" },
	{ "a name in quotes, if there is none with quotes",
		"> @LOGIN\nfail digest ENOENT\n> HASH \"f b\"\n< 213 SHA-256 0-4 cafef00d f b\n"
		"worker digest /\"f b\"; digest /f b; \n> HASH \"f b\"\n< 213 SHA-256 0-4 cafef00d "
		"\"f b\"\nworker digest /\"f b\"; \n" },
	{ "a quote that does not end is a name",
		"> @LOGIN\n> HASH \"f\n< 213 SHA-256 0-4 cafef00d \"f\n" },
	{ "nothing there, a folder, denied",
		"> @LOGIN\nfail digest ENOENT\n> HASH f\n< 550\nfail digest EISDIR\n> HASH d\n< "
		"553\nfail digest EACCES\n> HASH f\n< 550 Permission denied.\n> HASH\n< 501\n" },
	{ "too many at once", "> @LOGIN\nfail digest EBUSY\n> HASH f\n< 450\n" },
	{ "control characters", "> @LOGIN\n> HASH f\\x1b\n< 213 SHA-256 0-4 cafef00d f?\n" },
};

static const struct dialogue_row checksum_rows[] = {
	{ "each verb", "> @LOGIN\n> XCRC f\n< 250 CAFEF00D\n> XMD5 f\n< 250 CAFEF00D\n> XSHA f\n< "
		       "250 CAFEF00D\n> XSHA1 f\n< 250\n> XSHA256 f\n< 250\n> XSHA512 f\n< 250\n> "
		       "MD5 f\n< 251 f CAFEF00D\n" },
	{ "quoted", "> @LOGIN\n> XCRC \"f b\"\n< 250\nworker digest /f b; \n> XCRC \"f\"\"b\"\n< "
		    "250\nworker digest /f\"b; \n" },
	{ "quoted, with a range",
		"> @LOGIN\n> XCRC \"f\" 1 3\n< 250\n> XCRC \"f\" 2\n< 250\n> XCRC \"f\"  0  5\n< "
		"250\n" },
	{ "beyond the end",
		"> @LOGIN\n> XCRC \"f\" 1 6\n< 554\nfail digest ENOENT\n> XCRC f 4 9\n< 554\n" },
	{ "false ranges",
		"> @LOGIN\n> XCRC \"f\" 3 3\n< 501\n> XCRC \"f\" 3 2\n< 501\n> XCRC \"f\" "
		"-1 2\n< 501\n> XCRC \"f\" 1 2 3\n< 501\n> XCRC \"f\" x\n< 501\n> XCRC "
		"\"f\" 9223372036854775808\n< 501\n> XCRC \"f\" 1e3\n< 501\nworker \n" },
	{ "not quoted, with a range, if there is no such name",
		"> @LOGIN\nfail digest ENOENT\n> XCRC f b 1 3\n< 250\nworker digest /f b 1 3; "
		"digest /f "
		"b; \n> XCRC f 1 3\n< 250\nworker digest /f 1 3; \n" },
	{ "not quoted, one number is of the name",
		"> @LOGIN\nfail digest ENOENT\n> XCRC f 1\n< 550\nworker digest /f 1; \n" },
	{ "quotes that belong to the name", "> @LOGIN\n> XMD5 \"f\n< 250\nworker digest /\"f; \n> "
					    "XMD5 \"f\"x\n< 250\nworker digest /\"f\"x; \n" },
	{ "denied, then nothing: the first says it",
		"> @LOGIN\nfail digest EACCES\n> XCRC \"f\"\n< 250\nworker digest /f; digest "
		"/\"f\"; \n" },
	{ "no argument", "> @LOGIN\n> XCRC\n< 501\n> XCRC \"\"\n< 250\nworker digest /\"\"; \n" },
	{ "a folder", "> @LOGIN\nfail digest EISDIR\n> XSHA1 d\n< 553\n" },
};

static const struct dialogue_row range_rows[] = {
	{ "RETR",
		"> @LOGIN\n> TYPE I\n< 200\n> RANG 1 3\n< 350\n> PASV\n< 227\ndata open\n> RETR f\n"
		"< 150 Opening BINARY mode data connection (3 bytes).\n< 226\ndata is ell\n"
		"> PASV\n< 227\ndata open\n> RETR f\n< 150\n< 226\ndata is hello\n" },
	{ "one byte",
		"> @LOGIN\n> TYPE I\n< 200\n> PASV\n< 227\ndata open\n> RANG 0 0\n< 350\n> "
		"RETR f\n< 150 Opening BINARY mode data connection (1 bytes).\n< 226\ndata is "
		"h\n" },
	{ "the end beyond the file's",
		"> @LOGIN\n> TYPE I\n< 200\n> PASV\n< 227\ndata open\n> RANG "
		"3 9223372036854775807\n< 350\n> RETR f\n< 150 Opening BINARY "
		"mode data connection (2 bytes).\n< 226\ndata is lo\n" },
	{ "all of it beyond",
		"> @LOGIN\n> TYPE I\n< 200\n> PASV\n< 227\ndata open\n> RANG 9 10\n< "
		"350\n> RETR f\n< 150 Opening BINARY mode data connection (0 bytes).\n"
		"< 226 Transfer complete: 0 bytes.\ndata gone\n> NOOP\n< 200\n" },
	{ "RANG cancels REST", "> @LOGIN\n> TYPE I\n< 200\n> PASV\n< 227\ndata open\n> REST 4\n< "
			       "350\n> RANG 0 1\n< 350\n> RETR f\n< 150\n< 226\ndata is he\n" },
	{ "REST cancels RANG", "> @LOGIN\n> TYPE I\n< 200\n> PASV\n< 227\ndata open\n> RANG 0 1\n< "
			       "350\n> REST 3\n< 350\n> RETR f\n< 150\n< 226\ndata is lo\n" },
	{ "1 0 is the whole file", "> @LOGIN\n> TYPE I\n< 200\n> PASV\n< 227\ndata open\n> RANG 0 "
				   "1\n< 350\n> RANG 1 0\n< 350\n> RETR f\n< 150\n< 226\ndata is "
				   "hello\n" },
	{ "a false one is the whole file",
		"> @LOGIN\n> TYPE I\n< 200\n> PASV\n< 227\ndata open\n> RANG 0 1\n< 350\n> RANG 3 "
		"2\n< 501\n> RETR f\n< 150\n< 226\ndata is hello\n" },
	{ "another command forgets it",
		"> @LOGIN\n> TYPE I\n< 200\n> PASV\n< 227\ndata open\n> RANG 0 1\n< 350\n> NOOP\n< "
		"200\n> RETR f\n< 150\n< 226\ndata is hello\n" },
	{ "STOR, and APPE likewise", "> @LOGIN\n> TYPE I\n< 200\n> PASV\n< 227\ndata open\ndata "
				     "send ab\ndata end\n> RANG 1 2\n< "
				     "350\n> STOR f\n< 150\n< 226 Transfer complete: 2 "
				     "bytes\nworker upload_open /f; receive; "
				     "commit; \nreceived ab\n> PASV\n< 227\ndata open\ndata send "
				     "c\ndata end\n> RANG 0 0\n< "
				     "350\n> APPE f\n< 150\n< 226\n" },
	{ "STOR of too much, of too little, beyond the end",
		"> @LOGIN\n> TYPE I\n< 200\n> PASV\n< 227\ndata open\ndata end\n> RANG 1 2\n< "
		"350\nfail "
		"receive EFBIG\n> STOR f\n< 150\n< 552\nworker upload_open /f; receive; discard; "
		"\n> "
		"PASV\n< 227\ndata open\ndata end\n> RANG 1 2\n< 350\nfail receive ENODATA\n> STOR "
		"f\n< "
		"150\n< 426\n> PASV\n< 227\nfail upload_open EINVAL\n> RANG 9 10\n< 350\n> STOR "
		"f\n< "
		"554\n" },
	{ "TYPE A", "> @LOGIN\n> RANG 0 1\n< 551\n> RANG 1 0\n< 350\n" },
	{ "what is no range",
		"> @LOGIN\n> TYPE I\n< 200\n> RANG\n< 501\n> RANG 1\n< 501\n> RANG 1 2 3\n< 501\n> "
		"RANG -1 2\n< 501\n> RANG 0 9223372036854775808\n< 501\n> RANG 9223372036854775808 "
		"9223372036854775809\n< 501\n> RANG 0 1e9\n< 501\n> RANG 1  2\n< 501\n> RANG 2 "
		"0\n< "
		"501\n" },
};

static const struct dialogue_row long_rows[] = {
	{ "ABOR ends it",
		"> @LOGIN\nlate digest\n> HASH f\n= nothing\n> ABOR\n< 426\n< 226\nworker "
		"digest /f; cancel; \n> NOOP\n< 200\n" },
	{ "twice", "> @LOGIN\nlate digest\n> XCRC f\n= nothing\n>> ABOR\\r\\nABOR\\r\\n\n< 426\n< "
		   "226\n< 226\n" },
	{ "as old clients send it", "> @LOGIN\nlate digest\n> HASH f\n= nothing\nurgent "
				    "\\xff\\xf4\\xff\n>> \\xf2ABOR\\r\\n\n< 426\n< 226\n" },
	{ "STAT tells",
		"> @LOGIN\nlate digest\n> HASH f\n= nothing\n> STAT\n< 211 At work\nrelease\n"
		"< 213\n" },
	{ "NOOP and QUIT are answered after",
		"> @LOGIN\nlate digest\n> HASH f\n= nothing\n> NOOP\n> QUIT\n= "
		"nothing\nrelease\n< 213\n< 200\n< 221\n= closed\n" },
	{ "others wait",
		"> @LOGIN\nlate digest\n> HASH f\n> PWD\n= nothing\nrelease\n< 213\n< 257\n" },
	{ "a hang-up ends it",
		"> @LOGIN\nlate digest\n> HASH f\nsettle\nhang\nsettle\nsessions 0\n" },
	{ "the worker dies",
		"> @LOGIN\nlate digest\n> HASH f\nsettle\nworker dies\n< 451\nrelease\n> "
		"HASH f\n< 213\n" },
};

int
main(void)
{
	const struct table tables[] = {
		TABLE("hash", hash_rows, dialogue_check),
		TABLE("checksum", checksum_rows, dialogue_check),
		TABLE("range", range_rows, dialogue_check),
		TABLE("long", long_rows, dialogue_check),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
