#!/bin/sh
# login.sh USER KEY: lets USER log in with the public KEY and be root by sudo, whether or not there is such a user yet. Comes
# over SSH by somebody who can do both already, and is never installed. Nothing stops, nobody loses a login; the same again
# changes nothing.
set -eu
umask 022

user=$1 key=$2
SUDOERS=/etc/sudoers.d/ha-cluster-$user

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# entry FIELD: of the user in passwd(5).
entry() { getent passwd "$user" | cut -d : -f "$1"; }

make_user() {
    ! getent passwd "$user" >/dev/null || return 0
    if getent group "$user" >/dev/null; then set -- -g "$user"; else set --; fi
    useradd --create-home --shell /bin/bash "$@" "$user"
    echo "$user: made, without a password"
}

# Of somebody who was there before, and may be a service.
look_at_user() {
    case $(entry 7) in
    */nologin | */false) fail "$user is there already, and may not log in (its shell is $(entry 7)): name another ssh.user" ;;
    esac
    [ "$user" = root ] || command -v sudo >/dev/null || fail "sudo is not installed, and $user has to be root by it"
}

# A name without a dot: sudo ignores others.
let_be_root() {
    [ "$user" != root ] || return 0
    new=/etc/sudoers.d/.ha-cluster-$user.new
    echo "$user ALL=(ALL:ALL) NOPASSWD:ALL" >"$new"
    chmod 0440 "$new"
    if [ -e "$SUDOERS" ] && cmp -s "$new" "$SUDOERS"; then
        rm "$new"
    else
        visudo -cqf "$new" || fail "sudo does not take its rule for $user"
        mv "$new" "$SUDOERS"
        echo "$user: may use sudo"
    fi
    runuser -u "$user" -- sudo -n true || fail "$user can't be root by sudo -n: see /etc/sudoers and /etc/sudoers.d"
}

# As the user itself, whose home it is. A line of the same key goes: sshd takes the first one, and cloud-init gives root one that
# only says "Please login as".
let_in() {
    home=$(entry 6)
    [ -d "$home" ] || install -d -o "$user" -g "$(id -gn "$user")" "$home"
    # shellcheck disable=SC2016 # expanded by the other shell
    runuser -u "$user" -- sh -c '
        set -eu
        umask 077
        key=$1 keys=$2/.ssh/authorized_keys
        mkdir -p "${keys%/*}"
        touch "$keys"
        material=${key#* }
        { grep -vF "${material%% *}" "$keys" || :; echo "$key"; } >"$keys.new"
        if cmp -s "$keys.new" "$keys"; then rm "$keys.new"; exit; fi
        mv "$keys.new" "$keys"
        echo "$3: has the key"
    ' sh "$key" "$home" "$user"
}

make_user
look_at_user
let_be_root
let_in
