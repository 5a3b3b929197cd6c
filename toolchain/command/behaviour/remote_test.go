package behaviour

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCreateRunsAndCapturesBothStreams(t *testing.T) {
	server := startServer(t)
	it := startPlugin(t).create(remoteCommand, props{
		"connection": server.connection(), "create": "echo to stdout; echo; echo to stderr >&2",
	})
	equal(t, "stdout, less one end of line", it.output("stdout"), "to stdout\n")
	equal(t, "stderr", it.output("stderr"), "to stderr")
	if len(it.id) < 8 {
		t.Errorf("the id is too short to be unique: %q", it.id)
	}
}

func TestStdinIsHandedOver(t *testing.T) {
	server := startServer(t)
	it := startPlugin(t).create(remoteCommand, props{
		"connection": server.connection(), "create": "cat", "stdin": "one\ntwo ä\n\nthree",
	})
	equal(t, "stdout", it.output("stdout"), "one\ntwo ä\n\nthree")
}

func TestEmptyStdinEnds(t *testing.T) {
	server := startServer(t)
	p := startPlugin(t)
	equal(t, "no stdin", p.create(remoteCommand, props{"connection": server.connection(), "create": "cat"}).output("stdout"), "")
	equal(t, "empty stdin", p.create(remoteCommand, props{
		"connection": server.connection(), "create": "cat", "stdin": "",
	}).output("stdout"), "")
}

func TestUpdateFallsBackToCreate(t *testing.T) {
	server := startServer(t)
	inputs := props{"connection": server.connection(), "create": "echo create; cat", "stdin": "1"}
	it := startPlugin(t).create(remoteCommand, inputs)
	inputs["stdin"] = "2"
	it.update(inputs)
	equal(t, "without update", it.output("stdout"), "create\n2")
	inputs["update"] = "echo update; cat"
	it.update(inputs)
	equal(t, "with update", it.output("stdout"), "update\n2")
}

func TestDeleteRunsWithTheLastState(t *testing.T) {
	server := startServer(t)
	gone := filepath.Join(server.dir, "gone")
	it := startPlugin(t).create(remoteCommand, props{"connection": server.connection(), "delete": "touch " + gone})
	must(t, it.tryDelete())
	_, err := os.Stat(gone)
	must(t, err, "delete must run")
}

func TestFailedDeleteIsReported(t *testing.T) {
	server := startServer(t)
	it := startPlugin(t).create(remoteCommand, props{"connection": server.connection(), "delete": "echo stays >&2; exit 4"})
	refused(t, it.tryDelete(), "Process exited with status 4", "stays")
}

func TestErrorContainsStatusCommandAndOutput(t *testing.T) {
	server := startServer(t)
	it := startPlugin(t).thing(remoteCommand)
	message := refused(t, it.tryCreate(props{
		"connection": server.connection(), "create": "echo seen; echo \"why\" >&2; exit 3", "stdin": "not shown",
	}))
	contains(t, message, `Process exited with status 3: running "echo seen; echo \"why\" >&2; exit 3":`, "seen\n", "why\n")
	lacks(t, message, "not shown")
}

func TestSignalIsReported(t *testing.T) {
	server := startServer(t)
	it := startPlugin(t).thing(remoteCommand)
	refused(t, it.tryCreate(props{"connection": server.connection(), "create": "kill -TERM $$"}), "signal TERM")
}

func TestFailedUpdateKeepsNothing(t *testing.T) {
	server := startServer(t)
	inputs := props{"connection": server.connection(), "create": "echo first", "update": "exit 1"}
	it := startPlugin(t).create(remoteCommand, inputs)
	refused(t, it.tryUpdate(with(inputs, props{"stdin": "x"}), false), "Process exited with status 1")
	equal(t, "old output", it.output("stdout"), "first")
}

func TestEnvironmentThatTheServerAccepts(t *testing.T) {
	server := startServer(t, "AcceptEnv TEST_*")
	it := startPlugin(t).create(remoteCommand, props{
		"connection": server.connection(), "create": "echo $TEST_A-$TEST_B", "environment": props{"TEST_A": "a", "TEST_B": "b c"},
	})
	equal(t, "stdout", it.output("stdout"), "a-b c")
}

func TestEnvironmentThatTheServerRefuses(t *testing.T) {
	server := startServer(t)
	it := startPlugin(t).thing(remoteCommand)
	ran := filepath.Join(server.dir, "ran")
	refused(t, it.tryCreate(props{
		"connection": server.connection(), "create": "touch " + ran, "environment": props{"TEST_A": "a"},
	}), `could not set environment variable "TEST_A"`)
	contains(t, it.log.text(), "error Unable to set 'TEST_A'", "AcceptEnv")
	if _, err := os.Stat(ran); err == nil {
		t.Error("the command must not run")
	}
}

func TestPreviousOutputIsInjected(t *testing.T) {
	server := startServer(t, "AcceptEnv PULUMI_COMMAND_STDOUT PULUMI_COMMAND_STDERR")
	seen := filepath.Join(server.dir, "seen")
	show := "echo \"$PULUMI_COMMAND_STDOUT,$PULUMI_COMMAND_STDERR\""
	inputs := props{"connection": server.connection(), "create": "echo out; echo err >&2", "update": show, "delete": show + ">" + seen}
	it := startPlugin(t).create(remoteCommand, inputs)
	it.update(inputs)
	equal(t, "update sees create", it.output("stdout"), "out,err")
	must(t, it.tryDelete())
	text, err := os.ReadFile(seen)
	must(t, err)
	equal(t, "delete sees update", string(text), "out,err,\n")
}

func TestPreviousOutputIsNotInjectedWhenUnwanted(t *testing.T) {
	server := startServer(t, "AcceptEnv PULUMI_COMMAND_STDOUT PULUMI_COMMAND_STDERR")
	inputs := props{
		"connection": server.connection(), "create": "echo out", "update": "echo \"[$PULUMI_COMMAND_STDOUT]\"",
		"addPreviousOutputInEnv": false,
	}
	it := startPlugin(t).create(remoteCommand, inputs)
	it.update(inputs)
	equal(t, "update", it.output("stdout"), "[]")
}

func TestPreviousOutputRefusedIsOnlyAWarning(t *testing.T) {
	server := startServer(t)
	inputs := props{"connection": server.connection(), "create": "echo out", "update": "echo updated"}
	it := startPlugin(t).create(remoteCommand, inputs)
	lacks(t, it.log.text(), "warning")
	it.update(inputs)
	equal(t, "update", it.output("stdout"), "updated")
	contains(t, it.log.text(), "warning Unable to set 'PULUMI_COMMAND_STDOUT'")
}

func TestLoggingModes(t *testing.T) {
	server := startServer(t)
	for mode, shown := range map[string]string{"": "both", "stdoutAndStderr": "both", "stdout": "out", "stderr": "err", "none": ""} {
		t.Run("mode "+mode, func(t *testing.T) {
			inputs := props{"connection": server.connection(), "create": "echo from out; echo from err >&2"}
			if mode != "" {
				inputs["logging"] = mode
			}
			it := startPlugin(t).create(remoteCommand, inputs)
			log := it.log.text()
			for _, stream := range []string{"out", "err"} {
				if shown == "both" || shown == stream {
					contains(t, log, "info from "+stream+"\n")
				} else {
					lacks(t, log, "from "+stream)
				}
			}
			equal(t, "stdout is captured in any case", it.output("stdout"), "from out")
			equal(t, "stderr is captured in any case", it.output("stderr"), "from err")
		})
	}
}

func TestLoggedLinesAreStatusOnly(t *testing.T) {
	server := startServer(t)
	it := startPlugin(t).create(remoteCommand, props{"connection": server.connection(), "create": "echo a line"})
	for _, entry := range it.log.entries {
		if entry.Message == "a line" && (!entry.Ephemeral || entry.Urn != it.urn) {
			t.Errorf("must be a passing status of the resource: %v", entry)
		}
	}
	contains(t, it.log.text(), "a line")
}

func TestUnknownLoggingModeLogsNothing(t *testing.T) {
	server := startServer(t)
	it := startPlugin(t).create(remoteCommand, props{"connection": server.connection(), "create": "echo a line", "logging": "loud"})
	lacks(t, it.log.text(), "a line")
}

func TestCommandsRunSideBySide(t *testing.T) {
	server := startServer(t)
	p := startPlugin(t)
	fifo := filepath.Join(server.dir, "fifo")
	p.create(localCommand, props{"create": "mkfifo " + fifo})
	// Each end of a pipe waits for the other: one after the other, neither would end.
	writer := p.thing(remoteCommand)
	checked := writer.check(props{"connection": server.connection(), "create": "echo met >" + fifo})
	done := make(chan error, 1)
	go func() { done <- writer.createFrom(checked, false) }()
	reader := p.create(remoteCommand, props{"connection": server.connection(), "create": "cat " + fifo})
	must(t, <-done)
	equal(t, "through the pipe", reader.output("stdout"), "met")
}

func TestCancelWaitsForTheRunningCommand(t *testing.T) {
	server := startServer(t)
	it := startPlugin(t).thing(remoteCommand)
	started, release := filepath.Join(server.dir, "started"), filepath.Join(server.dir, "release")
	checked := it.check(props{
		"connection": server.connection(),
		"create":     "touch " + started + "; until [ -e " + release + " ]; do sleep 0.05; done; echo finished",
	})
	done := make(chan error, 1)
	go func() { done <- it.createFrom(checked, false) }()
	eventually(t, "the command runs", func() bool { _, err := os.Stat(started); return err == nil })
	it.cancel()
	must(t, os.WriteFile(release, nil, 0o600))
	must(t, <-done, "a command that has started is waited for")
	equal(t, "stdout", it.output("stdout"), "finished")
}
