# packages.sh - Debian packages that a job needs, installed only when one is missing.

BUILD_PACKAGES="build-essential cmake ninja-build pkg-config libfcgi-dev libcurl4-openssl-dev
 libjansson-dev liblmdb-dev libpcre2-dev libssl-dev libprotobuf-c-dev protobuf-c-compiler libuv1-dev
 libyaml-dev"

# What a recording is served with in GitHub's place.
DOUBLE_PACKAGES="python3 python3-graphql-core"

# What the questions that are shown are asked with.
ASKING_PACKAGES="curl"

missing_packages() {
	local p
	for p in "$@"; do
		dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed || printf '%s ' "$p"
	done
}

# install_packages PACKAGE...
install_packages() {
	local missing
	missing=$(missing_packages "$@")
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		echo "these packages are missing; install them as root: apt-get install $missing" >&2
		return 1
	fi
	echo "installing: $missing" >&2
	# A package that brings a server must not start it here.
	if [ ! -e /usr/sbin/policy-rc.d ]; then
		printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
		chmod 755 /usr/sbin/policy-rc.d
		trap 'rm -f /usr/sbin/policy-rc.d' RETURN
	fi
	# shellcheck disable=SC2086
	if ! { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $missing; } >"${TMPDIR:-/tmp}/apt-$$.log" 2>&1; then
		tail -n 20 "${TMPDIR:-/tmp}/apt-$$.log" >&2
		return 1
	fi
	rm -f "${TMPDIR:-/tmp}/apt-$$.log"
}
