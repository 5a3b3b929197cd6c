#!/bin/sh
# Reads a bundle: files with their modes and owners in one plain text. Sourced by push.sh.
#
#     ==> /etc/haproxy/haproxy.cfg 0644 root:root
#     …lines of the file…
#     ==> end
set -eu

# The last line guards against a connection that was cut: half a haproxy.cfg can be valid.
#
# list_bundle BUNDLE: prints "MODE OWNER:GROUP PATH" for each file, or says what is wrong, with the line.
list_bundle() {
    awk '
        function refuse(why) { print "line " NR ": " why >"/dev/stderr"; refused = 1; exit 1 }
        ended { refuse("text after the line \"==> end\"") }
        $0 == "==> end" { ended = 1; next }
        /^==> / {
            if (NF != 4) refuse("want \"==> PATH MODE OWNER:GROUP\"")
            if ($2 !~ /^\/(etc|srv)\/[A-Za-z0-9._@\/+-]*[A-Za-z0-9._@+-]$/ || $2 ~ /\/\.?\.?\//  || $2 ~ /\/\.\.?$/)
                refuse("bad path " $2 ": want an absolute one below /etc or /srv, without . and ..")
            if ($3 !~ /^0[0-7][0-7][0-7]$/) refuse("bad mode " $3 ": want four octal digits")
            if ($4 !~ /^[a-z_][a-z0-9_-]*:[a-z_][a-z0-9_-]*$/) refuse("bad owner " $4 ": want USER:GROUP")
            if ($2 in seen) refuse($2 " comes twice")
            seen[$2]
            print $3, $4, $2
            next
        }
        NR == 1 { refuse("want a line \"==> PATH MODE OWNER:GROUP\" first") }
        END {
            if (refused) exit 1
            if (!ended) {
                print "the line \"==> end\" is missing: the bundle was cut on its way; push again" >"/dev/stderr"
                exit 1
            }
        }
    ' "$1"
}

# unpack_bundle BUNDLE LIST TREE: writes each file's text below TREE, root's alone for now.
unpack_bundle() {
    awk -v tree="$3" '{ sub(/\/[^\/]*$/, "", $3); print tree $3 }' "$2" | sort -u | xargs mkdir -p
    while read -r _ _ path; do : >"$3$path"; done <"$2"
    awk -v tree="$3" '
        $0 == "==> end" { exit }
        /^==> / { if (file) close(file); file = tree $2; next }
        { print >>file }
    ' "$1"
}

# dress_files LIST TREE: gives the unpacked files their modes and owners. After packages are
# installed, which may bring the owner.
dress_files() {
    cut -d ' ' -f 1,2 "$1" | sort -u >"$INCOMING/dresses"
    while read -r mode owner; do
        alike=$(awk -v mode="$mode" -v owner="$owner" -v tree="$2" '$1 == mode && $2 == owner { print tree $3 }' "$1")
        # shellcheck disable=SC2086 # one word per path
        chown "$owner" $alike || fail "no such owner on this machine: $owner, for $(echo $alike | sed "s|$2||g")"
        # shellcheck disable=SC2086
        chmod "$mode" $alike
    done <"$INCOMING/dresses"
}
