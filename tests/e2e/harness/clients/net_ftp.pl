#!/usr/bin/perl
# Drives Net::FTP: reads one JSON object {host, port, user, password, passive, tls, steps} from its
# standard input, does the steps in one connection and prints what the last one told. Names are
# bytes here, on both sides.
use strict;
use warnings;

use Encode qw(encode);
use Fcntl qw(SEEK_SET);
use JSON::PP;
use Net::FTP;

my $task = JSON::PP->new->utf8->decode(do { local $/; <STDIN> });
my $login = $task->{login};

my %security = !$task->{tls} ? () : (
    SSL             => $task->{tls} eq 'implicit' ? 1 : 0,
    SSL_verify_mode => 0,
);
my $ftp = Net::FTP->new(
    $login->{host},
    Port    => $login->{port},
    Passive => $task->{passive} ? 1 : 0,
    Timeout => 120,
    %security,
) or die "connect: $@\n";

sub check {
    my ($done, $what) = @_;
    die "$what: " . $ftp->code . ' ' . $ftp->message . "\n" unless $done;
    return $done;
}

my %verbs = (
    put => sub {
        my ($local, $path, $offset) = @_;
        open my $file, '<', $local or die "$local: $!\n";
        seek $file, $offset, SEEK_SET or die "$local: $!\n";
        $ftp->restart($offset) if $offset;
        check($ftp->put($file, $path), "put $path");
        return;
    },
    get => sub {
        my ($path, $local, $offset) = @_;
        check($ftp->get($path, $local, $offset), "get $path");
        return;
    },
    rename        => sub { check($ftp->rename(@_), 'rename'); return },
    delete        => sub { check($ftp->delete(@_), 'delete'); return },
    make_folder   => sub { check($ftp->mkdir(@_),  'mkdir');  return },
    remove_folder => sub { check($ftp->rmdir(@_),  'rmdir');  return },
    time          => sub { return check($ftp->mdtm(@_), 'mdtm') },
);

check($ftp->starttls, 'starttls') if ($task->{tls} // '') eq 'explicit';
check($ftp->login($login->{user}, $login->{password}), 'login');
$ftp->prot('P') if ($task->{tls} // '') eq 'implicit';
check($ftp->binary, 'binary');
my $result;
for my $step (@{ $task->{steps} }) {
    my ($verb, @words) = map { encode('UTF-8', $_) } @$step;
    $result = $verbs{$verb}->(@words);
}
$ftp->quit;
print JSON::PP->new->allow_nonref->encode($result), "\n";
