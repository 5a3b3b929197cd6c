package behaviour

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestLocalCommandThroughItsLife(t *testing.T) {
	notes := filepath.Join(t.TempDir(), "notes")
	show := "; echo \"[$PULUMI_COMMAND_STDOUT|$PULUMI_COMMAND_STDERR]\" >>" + notes
	inputs := props{"create": "cat; echo oops >&2" + show, "update": "echo updated" + show, "delete": "true" + show, "stdin": "from stdin"}
	it := startPlugin(t).create(localCommand, inputs)
	equal(t, "stdout", it.output("stdout"), "from stdin")
	equal(t, "stderr", it.output("stderr"), "oops")
	it.update(inputs)
	equal(t, "stdout", it.output("stdout"), "updated")
	must(t, it.tryDelete())
	text, err := os.ReadFile(notes)
	must(t, err)
	equal(t, "what create, update and delete saw", string(text), "[|]\n[from stdin|oops]\n[updated|]\n")
}

func TestLocalUpdateFallsBackToCreate(t *testing.T) {
	inputs := props{"create": "cat", "stdin": "1"}
	it := startPlugin(t).create(localCommand, inputs)
	it.update(with(inputs, props{"stdin": "2"}))
	equal(t, "stdout", it.output("stdout"), "2")
}

func TestLocalPreviousOutputIsNotInjectedWhenUnwanted(t *testing.T) {
	inputs := props{"create": "echo out", "update": "echo \"[$PULUMI_COMMAND_STDOUT]\"", "addPreviousOutputInEnv": false}
	it := startPlugin(t).create(localCommand, inputs)
	it.update(inputs)
	equal(t, "stdout", it.output("stdout"), "[]")
}

func TestLocalEnvironmentAddsToThePlugins(t *testing.T) {
	it := startPlugin(t, "INHERITED=yes", "BOTH=plugin").create(localCommand, props{
		"create": "echo $INHERITED $BOTH $GIVEN", "environment": props{"GIVEN": "also", "BOTH": "input"},
	})
	equal(t, "stdout", it.output("stdout"), "yes input also")
}

func TestLocalInterpreter(t *testing.T) {
	it := startPlugin(t).create(localCommand, props{"create": "one two", "interpreter": []any{"printf", "<%s>"}})
	equal(t, "stdout", it.output("stdout"), "<one two>")
}

func TestLocalDir(t *testing.T) {
	dir := t.TempDir()
	p := startPlugin(t)
	equal(t, "stdout", p.create(localCommand, props{"create": "pwd", "dir": dir}).output("stdout"), dir)
	refused(t, p.thing(localCommand).tryCreate(props{"create": "pwd", "dir": dir + "/none"}), "no such file or directory")
}

func TestLocalErrorContainsStatusCommandAndOutput(t *testing.T) {
	it := startPlugin(t).thing(localCommand)
	refused(t, it.tryCreate(props{"create": "echo seen; echo why >&2; exit 3"}),
		"exit status 3: running \"echo seen; echo why >&2; exit 3\":\n", "seen\n", "why\n")
}

func TestLocalLoggingModes(t *testing.T) {
	for mode, shown := range map[string]string{"stdoutAndStderr": "out err", "stdout": "out", "stderr": "err", "none": ""} {
		it := startPlugin(t).create(localCommand, props{"create": "echo from out; echo from err >&2", "logging": mode})
		for _, stream := range []string{"out", "err"} {
			equal(t, mode+" logs "+stream, strings.Contains(it.log.text(), "info from "+stream), strings.Contains(shown, stream))
		}
	}
}

func TestLocalCommandIsNotRunInPreview(t *testing.T) {
	ran := filepath.Join(t.TempDir(), "ran")
	p := startPlugin(t)
	planned := p.thing(localCommand)
	must(t, planned.createFrom(planned.check(props{"create": "touch " + ran}), true))
	it := p.create(localCommand, props{})
	must(t, it.tryUpdate(props{"update": "touch " + ran}, true))
	if _, err := os.Stat(ran); err == nil {
		t.Error("a preview must not run commands")
	}
}

func TestCancelEndsALocalCommand(t *testing.T) {
	started := filepath.Join(t.TempDir(), "started")
	it := startPlugin(t).thing(localCommand)
	checked := it.check(props{"create": "touch " + started + "; exec sleep 60"})
	done := make(chan error, 1)
	go func() { done <- it.createFrom(checked, false) }()
	eventually(t, "the command runs", func() bool { _, err := os.Stat(started); return err == nil })
	it.cancel()
	select {
	case err := <-done:
		refused(t, err, "signal: killed")
	case <-time.After(deadline):
		t.Fatal("the command goes on")
	}
}

func TestLocalAssetsAndArchive(t *testing.T) {
	dir := t.TempDir()
	it := startPlugin(t).create(localCommand, props{
		"dir": dir, "create": "mkdir -p src/deep; touch a.txt src/b.js src/deep/c.js src/deep/secret.js",
		"assetPaths": []any{"*.txt", "src/**.js", "!**secret.*"}, "archivePaths": []any{"src/*.js"},
	})
	assets := it.state["assets"].ObjectValue()
	var found []string
	for name, asset := range assets {
		found = append(found, string(name))
		equal(t, "path of the asset", asset.AssetValue().Path, filepath.Join(dir, string(name)))
	}
	equal(t, "assets", fmt.Sprint(slices.Sorted(slices.Values(found))), "[a.txt src/b.js src/deep/c.js]")
	archive, ok := it.state["archive"].ArchiveValue().GetAssets()
	equal(t, "is an archive of assets", ok, true)
	equal(t, "archive", fmt.Sprint(slices.Sorted(maps.Keys(archive))), "[src/b.js]")
}

func TestLocalGlobThatCannotBeRead(t *testing.T) {
	it := startPlugin(t).thing(localCommand)
	refused(t, it.tryCreate(props{"create": "true", "dir": t.TempDir(), "assetPaths": []any{"[a"}}))
}
