#!/bin/sh
# The ways a push comes to its end: refused, taken back, stopped from outside. Sourced by push.sh.
set -eu

REASON=/run/ha-cluster-push/reason # what the last step said on its standard error; not on a disk that may be full
CARRIED=             # yes while daemons may still run on what an interrupted push left
CHANGING=            # yes from the first rename until the push has settled
# shellcheck disable=SC2034 # for push.sh
GOES_ON=75           # exit code of a step: what it has started goes on by itself, and is not taken back
UNFIT=               # yes unless the machine serves with the files from before

# step FUNCTION ARGUMENTS…: in a subshell that ends at the first command that fails, which a condition
# ("if step …") would switch off: ask STEP_FAILED afterwards.
step() {
    set +e
    (
        set -e
        "$@"
    ) 2>"$REASON"
    STEP_FAILED=$?
    set -e
    [ $STEP_FAILED -ne 0 ] || STEP_FAILED=
}

# complain TEXT…: for the operator, like say.
complain() { printf '%s\n' "$*" >&2 2>/dev/null || :; }

say_reason() { redact <"$REASON" >&2 || :; }

# refuse WHY: the end of a push that has touched nothing.
refuse() {
    cp "$REASON" "$REASON.refused"
    settle_interrupted
    mv "$REASON.refused" "$REASON"
    keep_refused || complain "the refused files could not be kept"
    complain "$ROLE $BUNDLE: refused, nothing was touched: $1"
    say_reason
    exit 1
}

# For a look at them afterwards, root's alone: secrets are among them.
keep_refused() {
    rm -rf "$STATE/refused/$BUNDLE"
    mkdir -p "$STATE/refused/$BUNDLE"
    cp -a "$INCOMING/files" "$STATE/refused/$BUNDLE/files"
    redact <"$REASON" >"$STATE/refused/$BUNDLE/reason"
}

# settle_interrupted: daemons return to the files that recover_interrupted put back; when this push brings
# others, its own apply does that.
settle_interrupted() {
    [ -n "$CARRIED" ] || return 0
    CARRIED=
    cp "$INCOMING/carried" "$INCOMING/paths"
    list_old_trees
    step apply_as_before
    if [ -z "$STEP_FAILED" ]; then
        close_journal
        return
    fi
    UNFIT=yes
    complain "The files from before the interrupted push are back, but this machine does not serve with them:"
    say_reason
}

# list_old_trees TREE…: the versions that daemons may be running on now; see gone.
list_old_trees() {
    {
        [ $# -eq 0 ] || printf '%s\n' "$@"
        find "$STATE/interrupted" -mindepth 2 -maxdepth 2 -name files 2>/dev/null || :
    } >"$INCOMING/old-trees"
}

# take_back: the push has failed in mid-change. Its files are kept for a look, the previous ones return.
take_back() {
    CHANGING=
    UNFIT=yes
    complain "$ROLE $BUNDLE: failed after $(since "$BEGAN") s:"
    say_reason
    cp "$REASON" "$REASON.refused"
    restore_previous "$BUNDLE"
    # Not before: there may be no more room than the way back needs.
    mv "$REASON.refused" "$REASON"
    keep_refused || complain "the refused files could not be kept"
    list_old_trees "$INCOMING/files"
    step apply_as_before
    if [ -z "$STEP_FAILED" ]; then
        UNFIT=
        close_journal
        complain "The previous files are back and applied. Mend the cause and push again; the refused files" \
            "lie in $STATE/refused/$BUNDLE on this machine."
    else
        complain "The previous files are back, but this machine does not serve with them either:"
        say_reason
        complain "Log in, mend that first (systemctl --failed), then push again."
    fi
}

# let_go: the files are all in place, and what they started takes longer than a push may; the next one goes on from there.
let_go() {
    CHANGING=
    close_journal
    forget_left
    complain "$ROLE $BUNDLE: not finished after $(since "$BEGAN") s:"
    say_reason
}

# finish: on every exit but SIGKILL, after which the journal tells the next push.
finish() {
    code=$?
    set +e # all of the following, whatever becomes of the way back
    trap '' INT TERM
    if [ -n "$CHANGING" ] && [ "$ROLE" = database ] && joining; then
        join_words >"$REASON"
        let_go
    fi
    if [ -n "$CHANGING" ]; then
        echo "the push was stopped from outside (its time limit, or a signal)" >"$REASON"
        (
            set -e
            take_back
            [ -z "$UNFIT" ]
        )
        # Not "( … ) || …": within a condition, nothing in it would end at a command that fails.
        # shellcheck disable=SC2181
        [ $? -eq 0 ] || UNFIT=yes
    fi
    if [ -z "$UNFIT" ]; then end_handover; else keep_handover; fi
    allow_starts
    if [ "$ROLE" = app-server ]; then release_drop; fi
    rm -rf "$INCOMING" "$REASON" "$REASON.refused"
    exit $code
}
