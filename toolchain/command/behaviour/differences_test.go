package behaviour

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// onlyOurs is for what our plugin deliberately does better than v1.2.1. No program can lean on these faults of the original.
func onlyOurs(t *testing.T) {
	t.Helper()
	if os.Getenv("COMMAND_PLUGIN") != "" {
		t.Skip("a known fault of the original")
	}
}

// The original leaves every connection open until the plugin ends.
func TestConnectionsAreClosed(t *testing.T) {
	onlyOurs(t)
	jump, server := startServer(t), startServer(t)
	startPlugin(t).create(remoteCommand, props{"connection": server.connection(props{"proxy": jump.connection()}), "create": "true"})
	for _, s := range []interface{ log() string }{server, jump} {
		eventually(t, "the connection ends", func() bool {
			return strings.Contains(s.log(), "Closing connection to 127.0.0.1") || strings.Contains(s.log(), "Disconnected from")
		})
	}
}

// The original waits for ever.
func TestLongLinesAreLogged(t *testing.T) {
	onlyOurs(t)
	server := startServer(t)
	const length = 200_000
	it := startPlugin(t).create(remoteCommand, props{
		"connection": server.connection(), "create": "head -c " + strconv.Itoa(length) + " /dev/zero | tr '\\0' x; echo; echo end",
	})
	contains(t, it.log.text(), "info "+strings.Repeat("x", length)+"\n", "info end\n")
	equal(t, "length of stdout", len(it.output("stdout")), length+len("\nend"))
}

// The original goes on with the connection that was refused, and reports that one's end instead of the cause.
func TestRetryBehindProxyKeepsTheCause(t *testing.T) {
	onlyOurs(t)
	jump, server := startServer(t), startServer(t)
	refuses(t, startPlugin(t), server.connection(props{
		"proxy": jump.connection(), "hostKey": newKey(t, "ed25519").public, "dialErrorLimit": 1.0,
	}), "after 1 failed attempts: ", "host key mismatch")
}

// The original puts both through one pipe, where the halves of two lines may meet.
func TestStreamsAreLoggedLineByLine(t *testing.T) {
	onlyOurs(t)
	it := startPlugin(t).create(localCommand, props{
		"create": "printf 'o1 '; sleep 0.1; printf 'e1 ' >&2; sleep 0.1; echo o2; echo e2 >&2; printf rest",
	})
	contains(t, it.log.text(), "info o1 o2\n", "info e1 e2\n", "info rest\n")
}

// The original goes on for ever, and the operators' key stays in its memory.
func TestEndsWithItsEngine(t *testing.T) {
	onlyOurs(t)
	p := startPlugin(t)
	select {
	case <-p.ended:
		t.Fatal("it ended while the engine was there")
	case <-time.After(7 * time.Second): // One health check has gone by.
	}
	p.log.stop()
	select {
	case <-p.ended:
	case <-time.After(deadline):
		t.Fatalf("it goes on %v after its engine", deadline)
	}
}
