package script

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	provider "github.com/pulumi/pulumi-go-provider"
)

// Capture takes what a command prints: each stream for itself as the resource's output, both as they came for an error
// message, and line by line for the engine's log.
type Capture struct {
	// Stdout and Stderr are what the command writes to. They may be used from two goroutines.
	Stdout, Stderr io.Writer

	mutex               sync.Mutex
	stdout, stderr      bytes.Buffer
	both                bytes.Buffer
	stdoutLog, errorLog *lineWriter
}

// NewCapture makes a Capture that logs the chosen streams to the engine that ctx belongs to.
func NewCapture(ctx context.Context, logStdout, logStderr bool) *Capture {
	log := provider.GetLogger(ctx).InfoStatus
	return newCapture(log, logStdout, logStderr)
}

func newCapture(log func(string), logStdout, logStderr bool) *Capture {
	c := &Capture{stdoutLog: &lineWriter{}, errorLog: &lineWriter{}}
	if logStdout {
		c.stdoutLog.line = log
	}
	if logStderr {
		c.errorLog.line = log
	}
	c.Stdout = c.stream(&c.stdout, c.stdoutLog)
	c.Stderr = c.stream(&c.stderr, c.errorLog)
	return c
}

func (c *Capture) stream(own *bytes.Buffer, log *lineWriter) io.Writer {
	return writerFunc(func(data []byte) (int, error) {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		own.Write(data)
		c.both.Write(data)
		log.write(data)
		return len(data), nil
	})
}

// Close logs lines that have no end of line yet. Call it when the command has ended.
func (c *Capture) Close() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.stdoutLog.flush()
	c.errorLog.flush()
}

// Outputs returns both streams, each without one trailing end of line.
func (c *Capture) Outputs() (stdout, stderr string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return strings.TrimSuffix(c.stdout.String(), "\n"), strings.TrimSuffix(c.stderr.String(), "\n")
}

// Failure describes why a command failed: the cause (with the exit status), the command, and all that it printed.
func (c *Capture) Failure(cause error, command string) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return fmt.Errorf("%w: running %q:\n%s", cause, command, c.both.String())
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(data []byte) (int, error) { return f(data) }

// lineWriter hands on whole lines, however long. (A bufio.Scanner stops at 64 KiB, and its writer then waits for ever.)
type lineWriter struct {
	line    func(string) // nil: nobody wants the lines
	pending []byte
}

func (w *lineWriter) write(data []byte) {
	if w.line == nil {
		return
	}
	w.pending = append(w.pending, data...)
	for {
		line, rest, found := bytes.Cut(w.pending, []byte("\n"))
		if !found {
			return
		}
		w.line(strings.TrimSuffix(string(line), "\r"))
		w.pending = rest
	}
}

func (w *lineWriter) flush() {
	if len(w.pending) > 0 {
		w.line(string(w.pending))
		w.pending = nil
	}
}
