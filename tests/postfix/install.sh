#!/bin/sh
# Install Debian's Postfix, without a configuration: nothing of it runs but what the tests start.
set -eu
if [ -x /usr/sbin/postfix ]; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "Postfix is missing. Install it (Debian: apt-get install postfix), and run this as root." >&2
    exit 1
fi
echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends postfix >/dev/null
