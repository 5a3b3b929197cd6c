package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/pkg/sftp"
)

// copy puts the source on the machine.
func (i *CopyInputs) copy(ctx context.Context) error {
	machine, err := i.Connection.dial(ctx)
	if err != nil {
		return err
	}
	defer machine.Close()
	// Concurrent writes may leave holes in a file after an error; here an error fails the resource, which copies anew.
	client, err := sftp.NewClient(machine.Client, sftp.UseConcurrentWrites(true))
	if err != nil {
		return err
	}
	defer client.Close()
	to := target{client}

	asset := i.Source.Asset
	switch {
	case asset != nil && asset.IsText():
		return to.text(asset.Text, i.RemotePath)
	case asset != nil:
		return to.path(asset.Path, i.RemotePath)
	default:
		return to.path(i.Source.Archive.Path, i.RemotePath)
	}
}

// target is the machine's file system. Files are written in place: truncated, not replaced, with the mode that the
// server gives to new files (0644 under the usual umask).
type target struct{ *sftp.Client }

func (t target) text(content, dest string) error {
	info, err := t.stat(dest)
	if err != nil {
		return err
	}
	if info != nil && info.IsDir() {
		return fmt.Errorf("remote path %s is a directory; when using a text asset, remotePath must be a file path", dest)
	}
	return t.newFile(strings.NewReader(content), dest)
}

// path copies a local file or folder:
//
//	source  | dest is a folder      | dest does not exist | dest is a file
//	file    | dest/file             | dest                | dest, overwritten
//	folder  | dest/folder           | dest/folder         | error
//	folder/ | its content into dest | its content in dest | error
func (t target) path(source, dest string) error {
	local, err := os.Stat(source)
	if err != nil {
		return err
	}
	remote, err := t.stat(dest)
	if err != nil {
		return err
	}
	if !local.IsDir() {
		if remote != nil && remote.IsDir() {
			dest = path.Join(dest, filepath.Base(source))
		}
		return t.file(source, dest)
	}
	if remote == nil {
		if err := t.MkdirAll(dest); err != nil {
			return fmt.Errorf("failed to create remote directory %s: %w", dest, err)
		}
	}
	if !strings.HasSuffix(source, "/") {
		dest = path.Join(dest, filepath.Base(source))
	}
	return t.tree(source, dest)
}

func (t target) tree(source, dest string) error {
	return fs.WalkDir(os.DirFS(source), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := path.Join(dest, name)
		if entry.IsDir() {
			return t.folder(to)
		}
		return t.file(filepath.Join(source, name), to)
	})
}

// folder makes a folder unless it exists.
func (t target) folder(dest string) error {
	info, err := t.stat(dest)
	switch {
	case err != nil:
		return err
	case info == nil:
		if err := t.Mkdir(dest); err != nil {
			return fmt.Errorf("failed to create remote directory %s: %w", dest, err)
		}
	case !info.IsDir():
		return fmt.Errorf("remote path %s exists but is not a directory", dest)
	}
	return nil
}

func (t target) file(source, dest string) error {
	local, err := os.Open(source)
	if err != nil {
		return err
	}
	defer local.Close()
	return t.newFile(local, dest)
}

func (t target) newFile(content io.Reader, dest string) error {
	if err := t.MkdirAll(path.Dir(dest)); err != nil {
		return fmt.Errorf("failed to create parent directories for %s: %w", dest, err)
	}
	remote, err := t.Create(dest)
	if err != nil {
		return fmt.Errorf("failed to create remote file %s: %w", dest, err)
	}
	_, err = remote.ReadFrom(content)
	// A full disk may show only when the file is closed.
	if err = errors.Join(err, remote.Close()); err != nil {
		return fmt.Errorf("failed to write remote file %s: %w", dest, err)
	}
	return nil
}

// stat returns nil where nothing exists.
func (t target) stat(name string) (fs.FileInfo, error) {
	info, err := t.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("failed to stat remote path %s: %w", name, err)
	}
	return info, nil
}
