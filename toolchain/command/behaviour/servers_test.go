package behaviour

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"
)

// keyPair is an SSH key: its private half as PEM, its public half as a line of authorized_keys.
type keyPair struct {
	private, public string
	signer          crypto.Signer
}

// sharedRSAKey is made once: it takes time, and no test tells servers apart by it.
var sharedRSAKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func newKey(t *testing.T, kind string) keyPair {
	t.Helper()
	var signer crypto.Signer
	var err error
	switch kind {
	case "ed25519":
		_, signer, err = ed25519.GenerateKey(rand.Reader)
	case "ecdsa":
		signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "rsa":
		signer, err = sharedRSAKey()
	default:
		t.Fatalf("no such kind of key: %s", kind)
	}
	must(t, err)
	block, err := ssh.MarshalPrivateKey(signer, "")
	must(t, err)
	public, err := ssh.NewPublicKey(signer.Public())
	must(t, err)
	return keyPair{string(pem.EncodeToMemory(block)), strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public))), signer}
}

// server is a real sshd on loopback, with host keys and users' keys of its own.
type server struct {
	t        *testing.T
	dir      string
	port     int
	hostKeys map[string]keyPair // by kind
	client   keyPair            // may log in
}

// prepareServer writes all that an sshd needs, without starting it; settings are lines for its configuration.
func prepareServer(t *testing.T, settings ...string) *server {
	t.Helper()
	s := &server{t: t, dir: t.TempDir(), port: freePort(t), client: newKey(t, "ed25519")}
	s.hostKeys = map[string]keyPair{"ed25519": newKey(t, "ed25519"), "ecdsa": newKey(t, "ecdsa"), "rsa": newKey(t, "rsa")}
	config := append([]string{
		fmt.Sprintf("ListenAddress 127.0.0.1:%d", s.port),
		"PidFile none", "UseDNS no", "UsePAM no", "LogLevel VERBOSE", "Subsystem sftp internal-sftp",
		"PermitRootLogin yes", "PasswordAuthentication no", "KbdInteractiveAuthentication no",
		"StrictModes no", // the keys lie below a temporary folder that others can write to
		"AuthorizedKeysFile " + s.file("authorized_keys", s.client.public+"\n"),
	}, settings...)
	for kind, key := range s.hostKeys {
		config = append(config, "HostKey "+s.file("host_"+kind, key.private))
	}
	s.file("sshd_config", strings.Join(config, "\n")+"\n")
	return s
}

func (s *server) file(name, content string) string {
	path := filepath.Join(s.dir, name)
	must(s.t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// start runs the sshd until the test ends and waits until it listens.
func (s *server) start() *server {
	s.t.Helper()
	binary, err := exec.LookPath("/usr/sbin/sshd")
	must(s.t, err, "these tests need OpenSSH's server (apt-get install openssh-server)")
	if os.Geteuid() == 0 {
		must(s.t, os.MkdirAll("/run/sshd", 0o755)) // sshd's own choice for its unprivileged part
	}
	log := filepath.Join(s.dir, "log")
	start(s.t, exec.Command(binary, "-D", "-f", filepath.Join(s.dir, "sshd_config"), "-E", log))
	s.t.Cleanup(func() {
		if s.t.Failed() {
			text, _ := os.ReadFile(log)
			s.t.Logf("sshd on port %d:\n%s", s.port, text)
		}
	})
	eventually(s.t, "sshd listens", func() bool { return strings.Contains(s.log(), "Server listening") })
	return s
}

func startServer(t *testing.T, settings ...string) *server {
	t.Helper()
	return prepareServer(t, settings...).start()
}

func (s *server) log() string {
	text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return string(text)
}

// connections is how often somebody has connected.
func (s *server) connections() int { return strings.Count(s.log(), "Connection from ") }

// connection is how a program would reach this server, with its host key pinned.
func (s *server) connection(changes ...props) props {
	result := props{
		"host": "127.0.0.1", "port": float64(s.port), "user": currentUser(s.t), "privateKey": s.client.private,
		"hostKey": s.hostKeys["ed25519"].public, "dialErrorLimit": 0.0,
	}
	for _, change := range changes {
		result = with(result, change)
	}
	return result
}

func currentUser(t *testing.T) string {
	t.Helper()
	me, err := user.Current()
	must(t, err)
	return me.Username
}

// freePort is a port of loopback that nobody listens on.
func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// listen accepts connections on loopback, counts them, and gives each to serve, with its number from 1 on.
func listen(t *testing.T, serve func(conn net.Conn, number int)) (port int, count func() int) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { listener.Close() })
	var connections atomic.Int64
	go func() {
		for {
			conn, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				go serve(conn, int(connections.Add(1)))
			}
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port, func() int { return int(connections.Load()) }
}

// hangUp is a server that is not one.
func hangUp(conn net.Conn, _ int) { conn.Close() }

// hangUpFirst fails for the first connections and leads the later ones to a server.
func hangUpFirst(failures int, behind *server) func(net.Conn, int) {
	return func(conn net.Conn, number int) {
		defer conn.Close()
		if number <= failures {
			return
		}
		onward, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", portText(behind.port)))
		if err != nil {
			return
		}
		defer onward.Close()
		go func() { _, _ = io.Copy(onward, conn) }()
		_, _ = io.Copy(conn, onward)
	}
}

// silentPort is a port of loopback that never answers, as behind a firewall that drops: its queue of connections is full.
func silentPort(t *testing.T) int {
	t.Helper()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	must(t, err)
	t.Cleanup(func() { syscall.Close(socket) })
	must(t, syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	must(t, syscall.Listen(socket, 0))
	bound, err := syscall.Getsockname(socket)
	must(t, err)
	// A queue of length 0 still takes one.
	filler, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", portText(bound.(*syscall.SockaddrInet4).Port)))
	must(t, err)
	t.Cleanup(func() { filler.Close() })
	return bound.(*syscall.SockaddrInet4).Port
}

// passwordServer is an SSH server that wants a password, asked for in one way ("password" or "keyboard-interactive"), and
// echoes commands. An sshd would need an account with a password on the machine that runs the tests.
func passwordServer(t *testing.T, way, user, password string) (port int) {
	t.Helper()
	right := func(name, given string) (*ssh.Permissions, error) {
		if name == user && given == password {
			return nil, nil
		}
		return nil, errors.New("wrong user or password")
	}
	config := &ssh.ServerConfig{}
	if way == "password" {
		config.PasswordCallback = func(c ssh.ConnMetadata, given []byte) (*ssh.Permissions, error) {
			return right(c.User(), string(given))
		}
	} else {
		config.KeyboardInteractiveCallback = func(
			c ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge,
		) (*ssh.Permissions, error) {
			answers, err := ask("", "", []string{"Password: ", "Again: "}, []bool{false, false})
			if err != nil {
				return nil, err
			}
			return right(c.User(), strings.Join(answers, ""))
		}
	}
	signer, err := ssh.NewSignerFromSigner(newKey(t, "ed25519").signer)
	must(t, err)
	config.AddHostKey(signer)
	port, _ = listen(t, func(conn net.Conn, _ int) { echoCommands(conn, config) })
	return port
}

func echoCommands(conn net.Conn, config *ssh.ServerConfig) {
	defer conn.Close()
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for offered := range channels {
		channel, requests, err := offered.Accept()
		if err != nil {
			return
		}
		for request := range requests {
			if request.Type != "exec" {
				_ = request.Reply(false, nil)
				continue
			}
			_ = request.Reply(true, nil)
			var command struct{ Text string }
			_ = ssh.Unmarshal(request.Payload, &command)
			_, _ = io.WriteString(channel, command.Text)
			_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{0}))
			channel.Close()
		}
	}
}
