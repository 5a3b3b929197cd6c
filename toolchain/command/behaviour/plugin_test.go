// Package behaviour holds the tests that compare a command plugin with v1.2.1 of Pulumi's own, from outside: each starts
// the plugin's program as the engine does and talks to it by gRPC. ../../README.md lists what is compared.
//
// COMMAND_PLUGIN=/path/to/pulumi-resource-command runs them against that program; without it, against ours, freshly built.
// Use -count=1: Go does not know which program is tested, and might show old results.
package behaviour

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
)

// deadline bounds every wait of these tests.
const deadline = 30 * time.Second

// program is the plugin under test.
var program string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		program = os.Getenv("COMMAND_PLUGIN")
		if program == "" {
			dir, err := os.MkdirTemp("", "command-plugin-")
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
			defer os.RemoveAll(dir)
			program = filepath.Join(dir, "pulumi-resource-command")
			build := exec.Command("go", "build", "-buildvcs=false", "-o", program, "..")
			build.Stdout, build.Stderr = os.Stderr, os.Stderr
			if err := build.Run(); err != nil {
				fmt.Fprintln(os.Stderr, "building the plugin:", err)
				return 1
			}
		}
		fmt.Println("testing", program)
		return m.Run()
	}())
}

// plugin is a running command plugin, with an engine that only listens to its log.
type plugin struct {
	pulumirpc.ResourceProviderClient
	t   *testing.T
	log *logbook
	// ended is closed when the program is.
	ended chan struct{}
}

// startPlugin starts the program under test; variables (NAME=value) are added to its environment. It ends with the test.
func startPlugin(t *testing.T, variables ...string) *plugin {
	t.Helper()
	log := startLogbook(t)
	cmd := exec.Command(program, log.address)
	cmd.Dir = t.TempDir()
	for _, variable := range os.Environ() {
		// The agent of whoever runs the tests must not log in for them.
		if !strings.HasPrefix(variable, "SSH_AUTH_SOCK=") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	cmd.Env = append(cmd.Env, variables...)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	start(t, cmd)
	output := bufio.NewReader(stdout)
	port, err := output.ReadString('\n')
	must(t, err, "the plugin's first line is its port")
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, output)
		close(ended)
	}()

	conn, err := grpc.NewClient("127.0.0.1:"+strings.TrimSpace(port), grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	p := &plugin{pulumirpc.NewResourceProviderClient(conn), t, log, ended}
	response, err := p.Configure(p.context(), &pulumirpc.ConfigureRequest{
		AcceptSecrets: true, AcceptResources: true, SendsOldInputs: true, SendsOldInputsToDelete: true,
	})
	must(t, err)
	if !response.AcceptSecrets || !response.SupportsPreview {
		t.Fatalf("the plugin must take secrets and preview: %v", response)
	}
	return p
}

func (p *plugin) context() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	p.t.Cleanup(cancel)
	return ctx
}

// start runs a program that is killed, and waited for, when the test ends, however it ends.
func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// logbook is the part of the engine that plugins send their log to.
type logbook struct {
	pulumirpc.UnimplementedEngineServer
	address string
	stop    func()
	mutex   sync.Mutex
	entries []*pulumirpc.LogRequest
}

func startLogbook(t *testing.T) *logbook {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	server := grpc.NewServer()
	l := &logbook{address: listener.Addr().String(), stop: server.Stop}
	pulumirpc.RegisterEngineServer(server, l)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return l
}

// Log takes an entry.
func (l *logbook) Log(_ context.Context, entry *pulumirpc.LogRequest) (*emptypb.Empty, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.entries = append(l.entries, entry)
	return &emptypb.Empty{}, nil
}

// text is everything logged so far, a line for each entry: its severity and its message.
func (l *logbook) text() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	var all strings.Builder
	for _, entry := range l.entries {
		fmt.Fprintf(&all, "%s %s\n", strings.ToLower(entry.Severity.String()), entry.Message)
	}
	return all.String()
}

func must(t *testing.T, err error, doing ...string) {
	t.Helper()
	if err != nil {
		t.Fatal(strings.Join(append(doing, err.Error()), ": "))
	}
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(deadline); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, deadline)
		}
	}
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}

func lacks(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(text, part) {
			t.Errorf("%q must not be in:\n%s", part, text)
		}
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %#v, want %#v", what, got, want)
	}
}
