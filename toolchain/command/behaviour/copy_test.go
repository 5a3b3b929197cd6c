package behaviour

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

func text(t *testing.T, content string) *resource.Asset {
	t.Helper()
	asset, err := resource.NewTextAsset(content)
	must(t, err)
	return asset
}

func file(t *testing.T, path, content string) *resource.Asset {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(content), 0o600))
	asset, err := resource.NewPathAsset(path)
	must(t, err)
	return asset
}

func folder(t *testing.T, path string) *resource.Archive {
	t.Helper()
	archive, err := resource.NewPathArchive(path)
	must(t, err)
	return archive
}

// holds asserts the content of a file.
func holds(t *testing.T, path, content string) {
	t.Helper()
	got, err := os.ReadFile(path)
	must(t, err)
	equal(t, path, string(got), content)
}

func TestCopyOfTextAndFile(t *testing.T) {
	server := startServer(t)
	local, remote := t.TempDir(), t.TempDir()
	for name, source := range map[string]any{"text": text(t, "content"), "file": file(t, local+"/f", "content")} {
		path := filepath.Join(remote, "made", "for", name)
		it := startPlugin(t).create(copyToRemote, props{"connection": server.connection(), "source": source, "remotePath": path})
		holds(t, path, "content")
		info, err := os.Stat(path)
		must(t, err)
		equal(t, "mode", info.Mode().Perm(), 0o644)
		if len(it.id) < 8 {
			t.Errorf("the id is too short to be unique: %q", it.id)
		}
	}
}

func TestCopyTruncatesInPlace(t *testing.T) {
	server := startServer(t)
	path := filepath.Join(t.TempDir(), "copy")
	must(t, os.WriteFile(path, []byte("something much longer than what comes"), 0o640))
	before, err := os.Stat(path)
	must(t, err)
	startPlugin(t).create(copyToRemote, props{"connection": server.connection(), "source": text(t, "short"), "remotePath": path})
	holds(t, path, "short")
	after, err := os.Stat(path)
	must(t, err)
	equal(t, "mode", after.Mode().Perm(), 0o640)
	equal(t, "inode", after.Sys().(*syscall.Stat_t).Ino, before.Sys().(*syscall.Stat_t).Ino)
}

func TestCopyOfMuch(t *testing.T) {
	server := startServer(t)
	much := strings.Repeat("0123456789abcdef", 1<<18) // 4 MiB, many packets
	local, remote := t.TempDir(), t.TempDir()
	startPlugin(t).create(copyToRemote, props{
		"connection": server.connection(), "source": file(t, local+"/much", much), "remotePath": remote + "/much",
	})
	got, err := os.ReadFile(remote + "/much")
	must(t, err)
	equal(t, "arrived whole", string(got) == much, true)
}

func TestCopyIntoAFolder(t *testing.T) {
	server := startServer(t)
	local, remote := t.TempDir(), t.TempDir()
	inputs := props{"connection": server.connection(), "source": file(t, local+"/f", "content"), "remotePath": remote}
	startPlugin(t).create(copyToRemote, inputs)
	holds(t, remote+"/f", "content")
	refused(t, startPlugin(t).thing(copyToRemote).tryCreate(with(inputs, props{"source": text(t, "x")})), "is a directory")
}

func TestCopyOfAFolder(t *testing.T) {
	server := startServer(t)
	local, remote := t.TempDir(), t.TempDir()
	file(t, local+"/tree/a", "a")
	file(t, local+"/tree/b/c", "c")
	must(t, os.WriteFile(remote+"/file", nil, 0o600))
	inputs := props{"connection": server.connection(), "source": folder(t, local+"/tree"), "remotePath": remote + "/new"}
	p := startPlugin(t)
	for range 2 { // the second time into what is there
		p.create(copyToRemote, inputs)
		holds(t, remote+"/new/tree/a", "a")
		holds(t, remote+"/new/tree/b/c", "c")
	}
	p.create(copyToRemote, with(inputs, props{"source": folder(t, local+"/tree/"), "remotePath": remote + "/content"}))
	holds(t, remote+"/content/b/c", "c")
	refused(t, p.thing(copyToRemote).tryCreate(with(inputs, props{"remotePath": remote + "/file"})))
	must(t, os.WriteFile(remote+"/content/tree", nil, 0o600))
	refused(t, p.thing(copyToRemote).tryCreate(with(inputs, props{"remotePath": remote + "/content"})), "is not a directory")
}

func TestCopyOfChangedContentIsMade(t *testing.T) {
	server := startServer(t)
	path := filepath.Join(t.TempDir(), "copy")
	inputs := props{"connection": server.connection(), "source": text(t, "old"), "remotePath": path}
	it := startPlugin(t).create(copyToRemote, inputs)
	changed := with(inputs, props{"source": text(t, "new")})
	does, _ := it.diff(changed)
	equal(t, "a change of the content", does, "update")
	it.update(changed)
	holds(t, path, "new")
	does, _ = it.diff(changed)
	equal(t, "afterwards", does, "nothing")
}

func TestCopyToAnotherPathLeavesTheOld(t *testing.T) {
	server := startServer(t)
	dir := t.TempDir()
	inputs := props{"connection": server.connection(), "source": text(t, "content"), "remotePath": dir + "/old"}
	it := startPlugin(t).create(copyToRemote, inputs)
	it.update(with(inputs, props{"remotePath": dir + "/new"}))
	holds(t, dir+"/old", "content")
	holds(t, dir+"/new", "content")
}

func TestCopyIsNotMadeForAnotherMachineAlone(t *testing.T) {
	server := startServer(t)
	port, count := listen(t, hangUp)
	inputs := props{"connection": server.connection(), "source": text(t, "x"), "remotePath": t.TempDir() + "/copy"}
	it := startPlugin(t).create(copyToRemote, inputs)
	moved := with(inputs, props{"connection": props{"host": "127.0.0.1", "port": float64(port)}})
	does, _ := it.diff(moved)
	equal(t, "another machine", does, "update")
	it.update(moved)
	equal(t, "dials", count(), 0)
}

func TestDeleteLeavesTheCopy(t *testing.T) {
	server := startServer(t)
	path := filepath.Join(t.TempDir(), "copy")
	it := startPlugin(t).create(copyToRemote, props{"connection": server.connection(), "source": text(t, "x"), "remotePath": path})
	before := server.connections()
	must(t, it.tryDelete())
	holds(t, path, "x")
	equal(t, "connections", server.connections(), before)
}

func TestCopyReportsWhatFails(t *testing.T) {
	server := startServer(t)
	dir := t.TempDir()
	must(t, os.WriteFile(dir+"/file", nil, 0o600))
	inputs := props{"connection": server.connection(), "source": text(t, "x"), "remotePath": dir + "/file/below"}
	refused(t, startPlugin(t).thing(copyToRemote).tryCreate(inputs), dir+"/file")
	missing := file(t, dir+"/gone", "x")
	must(t, os.Remove(dir+"/gone"))
	refused(t, startPlugin(t).thing(copyToRemote).tryCreate(with(inputs, props{"source": missing, "remotePath": dir + "/copy"})),
		"no such file or directory")
}

func TestCopyOfNothingIsRefused(t *testing.T) {
	p := startPlugin(t)
	inputs := props{"connection": props{"host": "127.0.0.1"}, "remotePath": "/x"}
	web, err := resource.NewURIAsset("file:///etc/hostname")
	must(t, err)
	members, err := resource.NewAssetArchive(map[string]any{"a": text(t, "x")})
	must(t, err)
	for reason, source := range map[string]any{
		"either asset or archive must be set":             unknown,
		"asset must be a path-based file asset or a text": web,
		"archive must be a path to a file or directory":   members,
	} {
		_, failures := p.thing(copyToRemote).tryCheck(with(inputs, props{"source": source}))
		contains(t, strings.Join(failures, "\n"), reason)
	}
}
