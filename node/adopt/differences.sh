#!/bin/sh
# What a push changes in the files found on a host, for people to read. Sourced by push.sh; preflight brings it along over
# SSH before there was a push, so it sources nothing. It only reads.
set -eu

# hide_passwords: in bytes, as in UTF-8 "." stops at a byte that is none, and what follows it would be shown.
hide_passwords() {
    LC_ALL=C sed -E 's/((auth_pass|password|stats[[:space:]]+auth)[[:space:]=:"]+|authorization).*/\1***/I'
}

# difference PATH <TEXT: from the file found at PATH, if there is one, to TEXT.
difference() {
    found=$1 label="$1 (found)"
    if [ ! -e "$1" ]; then found=/dev/null label=/dev/null; fi
    shown=$(diff -u --label "$label" --label "$1" "$found" -) || [ $? -eq 1 ] || return 1
    if [ -n "$shown" ]; then printf '%s\n' "$shown" | hide_passwords; fi
}

# rights PATH MODE: what becomes of kind, mode and owner of a file found.
rights() {
    if [ -L "$1" ]; then
        echo "$1 (found): a link to $(readlink "$1"), becomes a file"
    elif [ -e "$1" ]; then
        was=$(stat -c '%a %U:%G' "$1")
        if [ "$was" != "${2#0} root:root" ]; then echo "$1 (found): $was, becomes ${2#0} root:root"; fi
    fi
}

# secret PATH: no more than that it is there.
secret() {
    if [ -e "$1" ]; then echo "$1 (secret): takes the place of the one found"; else echo "$1 (secret): new"; fi
}
