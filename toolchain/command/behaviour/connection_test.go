package behaviour

import (
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

func portText(port int) string { return strconv.Itoa(port) }

// greets asserts that a command runs over a connection.
func greets(t *testing.T, p *plugin, connection props) {
	t.Helper()
	equal(t, "stdout", p.create(remoteCommand, props{"connection": connection, "create": "echo hello"}).output("stdout"), "hello")
}

// refuses asserts that no command runs over a connection, and returns why.
func refuses(t *testing.T, p *plugin, connection props, parts ...string) string {
	t.Helper()
	ran := filepath.Join(t.TempDir(), "ran")
	message := refused(t, p.thing(remoteCommand).tryCreate(props{"connection": connection, "create": "touch " + ran}), parts...)
	if _, err := os.Stat(ran); err == nil {
		t.Error("the command must not run")
	}
	return message
}

func TestHostKeyAccepted(t *testing.T) {
	server := startServer(t)
	greets(t, startPlugin(t), server.connection())
}

func TestHostKeyOfEachKindTheServerHas(t *testing.T) {
	server := startServer(t)
	for _, kind := range []string{"ed25519", "ecdsa"} {
		greets(t, startPlugin(t), server.connection(props{"hostKey": server.hostKeys[kind].public}))
	}
}

func TestHostKeyMayHaveAComment(t *testing.T) {
	server := startServer(t)
	greets(t, startPlugin(t), server.connection(props{"hostKey": server.hostKeys["ed25519"].public + " root@lb1\n"}))
}

func TestHostKeyRefused(t *testing.T) {
	server := startServer(t)
	refuses(t, startPlugin(t), server.connection(props{"hostKey": newKey(t, "ed25519").public}), "host key mismatch")
	lacks(t, server.log(), "Accepted publickey")
}

func TestRSAHostKeyCannotBePinned(t *testing.T) {
	server := startServer(t)
	refuses(t, startPlugin(t), server.connection(props{"hostKey": server.hostKeys["rsa"].public}),
		"no common algorithm for host key")
}

func TestHostKeyMalformed(t *testing.T) {
	server := startServer(t)
	refuses(t, startPlugin(t), server.connection(props{"hostKey": "not a key"}), "failed to parse host key")
	equal(t, "connections", server.connections(), 0)
}

func TestWithoutHostKeyAnyIsAccepted(t *testing.T) {
	server := startServer(t)
	greets(t, startPlugin(t), server.connection(props{"hostKey": nil}))
}

func TestProxyWithItsOwnHostKey(t *testing.T) {
	jump, server := startServer(t), startServer(t)
	greets(t, startPlugin(t), server.connection(props{"proxy": jump.connection()}))
	contains(t, jump.log(), "Accepted publickey")
	contains(t, server.log(), "Accepted publickey")
}

func TestProxyHostKeyRefused(t *testing.T) {
	jump, server := startServer(t), startServer(t)
	proxy := jump.connection(props{"hostKey": newKey(t, "ed25519").public})
	refuses(t, startPlugin(t), server.connection(props{"proxy": proxy}), "proxy: ", "host key mismatch")
	equal(t, "connections to the machine behind", server.connections(), 0)
}

func TestHostKeyRefusedBehindProxy(t *testing.T) {
	jump, server := startServer(t), startServer(t)
	refuses(t, startPlugin(t), server.connection(props{
		"proxy": jump.connection(), "hostKey": newKey(t, "ed25519").public,
	}), "proxy: ", "host key mismatch")
	lacks(t, server.log(), "Accepted publickey")
}

func TestProxyDoesNotLendItsHostKey(t *testing.T) {
	jump, server := startServer(t), startServer(t)
	refuses(t, startPlugin(t), server.connection(props{
		"proxy": jump.connection(), "hostKey": jump.hostKeys["ed25519"].public,
	}), "host key mismatch")
}

func TestProxyDoesNotLendItsCredentials(t *testing.T) {
	jump, server := startServer(t), startServer(t)
	refuses(t, startPlugin(t), server.connection(props{"proxy": jump.connection(), "privateKey": jump.client.private}),
		"unable to authenticate")
}

func TestWrongKeyIsRefused(t *testing.T) {
	server := startServer(t)
	refuses(t, startPlugin(t), server.connection(props{"privateKey": newKey(t, "ed25519").private}), "unable to authenticate")
}

func TestEncryptedPrivateKey(t *testing.T) {
	server := startServer(t)
	block, err := ssh.MarshalPrivateKeyWithPassphrase(server.client.signer, "", []byte("open sesame"))
	must(t, err)
	encrypted := server.connection(props{"privateKey": string(pem.EncodeToMemory(block))})
	greets(t, startPlugin(t), with(encrypted, props{"privateKeyPassword": "open sesame"}))
	refuses(t, startPlugin(t), with(encrypted, props{"privateKeyPassword": "close sesame"}), "decrypt")
	refuses(t, startPlugin(t), encrypted, "passphrase protected")
}

func TestPasswordLogin(t *testing.T) {
	for _, way := range []string{"password", "keyboard-interactive"} {
		t.Run(way, func(t *testing.T) {
			expected := "secret"
			if way == "keyboard-interactive" {
				expected = "secretsecret" // two questions
			}
			port := passwordServer(t, way, "ops", expected)
			connection := props{"host": "127.0.0.1", "port": float64(port), "user": "ops", "password": "secret", "dialErrorLimit": 0.0}
			p := startPlugin(t)
			it := p.create(remoteCommand, props{"connection": connection, "create": "the command"})
			equal(t, "stdout", it.output("stdout"), "the command")
			refuses(t, p, with(connection, props{"password": "wrong"}), "unable to authenticate")
		})
	}
}

func TestPrivateKeyIsTriedBeforePassword(t *testing.T) {
	server := startServer(t)
	greets(t, startPlugin(t), server.connection(props{"password": "unused"}))
}

// startAgent is an SSH agent that holds one key; it returns its socket.
func startAgent(t *testing.T, key keyPair) string {
	t.Helper()
	keys := agent.NewKeyring()
	must(t, keys.Add(agent.AddedKey{PrivateKey: key.signer}))
	socket := filepath.Join(t.TempDir(), "agent")
	listener, err := net.Listen("unix", socket)
	must(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(keys, conn) }()
		}
	}()
	return socket
}

func TestAgent(t *testing.T) {
	server := startServer(t)
	socket := startAgent(t, server.client)
	greets(t, startPlugin(t), server.connection(props{"privateKey": nil, "agentSocketPath": socket}))
}

func TestAgentOfTheEnvironment(t *testing.T) {
	server := startServer(t)
	socket := startAgent(t, server.client)
	keyless := server.connection(props{"privateKey": nil})
	greets(t, startPlugin(t, "SSH_AUTH_SOCK="+socket), keyless)
	refuses(t, startPlugin(t), keyless, "unable to authenticate")
}

func TestAgentThatIsNotThere(t *testing.T) {
	server := startServer(t)
	refuses(t, startPlugin(t), server.connection(props{"agentSocketPath": filepath.Join(t.TempDir(), "none")}), "connect")
	equal(t, "connections", server.connections(), 0)
}

func TestDialErrorLimit(t *testing.T) {
	for limit, dials := range map[float64]int{0: 1, 2: 3} {
		port, count := listen(t, hangUp)
		p := startPlugin(t)
		connection := props{"host": "127.0.0.1", "port": float64(port), "dialErrorLimit": limit}
		refuses(t, p, connection, "after "+strconv.Itoa(int(limit))+" failed attempts: ")
		equal(t, "dials", count(), dials)
		if limit > 0 {
			contains(t, p.log.text(), "info Dial 1/2 failed: retrying\n", "info Dial 2/2 failed: retrying\n")
		}
	}
}

func TestDialErrorLimitOfTheProxy(t *testing.T) {
	server := startServer(t)
	port, count := listen(t, hangUp)
	proxy := props{"host": "127.0.0.1", "port": float64(port), "dialErrorLimit": 1.0}
	p := startPlugin(t)
	refuses(t, p, server.connection(props{"proxy": proxy}), "proxy: after 1 failed attempts: ")
	equal(t, "dials", count(), 2)
	contains(t, p.log.text(), "info Dial proxy 1/1 failed: retrying\n")
}

func TestDialIsRetriedUntilItSucceeds(t *testing.T) {
	server := startServer(t)
	port, count := listen(t, hangUpFirst(3, server))
	greets(t, startPlugin(t), server.connection(props{"port": float64(port), "dialErrorLimit": nil}))
	equal(t, "dials", count(), 4)
}

func TestDialsWithoutLimit(t *testing.T) {
	server := startServer(t)
	port, count := listen(t, hangUpFirst(3, server))
	p := startPlugin(t)
	greets(t, p, server.connection(props{"port": float64(port), "dialErrorLimit": -1.0}))
	equal(t, "dials", count(), 4)
	contains(t, p.log.text(), "info Dial 1/inf failed: retrying\n")
}

func TestDialIsRetriedWhileTheServerStarts(t *testing.T) {
	server := prepareServer(t)
	it := startPlugin(t).thing(remoteCommand)
	checked := it.check(props{"connection": server.connection(props{"dialErrorLimit": nil}), "create": "echo hello"})
	done := make(chan error, 1)
	go func() { done <- it.createFrom(checked, false) }()
	eventually(t, "a first failure", func() bool { return len(it.log.text()) > 0 })
	server.start()
	must(t, <-done)
	equal(t, "stdout", it.output("stdout"), "hello")
}

func TestProxyDialIsRetriedUntilItSucceeds(t *testing.T) {
	jump, server := startServer(t), startServer(t)
	port, count := listen(t, hangUpFirst(2, jump))
	proxy := jump.connection(props{"port": float64(port), "dialErrorLimit": nil})
	greets(t, startPlugin(t), server.connection(props{"proxy": proxy}))
	equal(t, "dials", count(), 3)
}

func TestDialFromProxyIsRetriedWhileTheServerStarts(t *testing.T) {
	jump, server := startServer(t), prepareServer(t)
	it := startPlugin(t).thing(remoteCommand)
	checked := it.check(props{
		"connection": server.connection(props{"dialErrorLimit": nil, "proxy": jump.connection()}), "create": "echo hello",
	})
	done := make(chan error, 1)
	go func() { done <- it.createFrom(checked, false) }()
	eventually(t, "a first failure", func() bool { return len(it.log.text()) > 0 })
	server.start()
	must(t, <-done)
	equal(t, "stdout", it.output("stdout"), "hello")
}

func TestPerDialTimeout(t *testing.T) {
	connection := props{"host": "127.0.0.1", "port": float64(silentPort(t)), "dialErrorLimit": 0.0, "perDialTimeout": 1.0}
	begin := time.Now()
	refuses(t, startPlugin(t), connection, "i/o timeout")
	if took := time.Since(begin); took < time.Second || took > 10*time.Second {
		t.Errorf("one dial of at most 1 s took %v", took)
	}
}

func TestCancelEndsTheRetries(t *testing.T) {
	port, _ := listen(t, hangUp)
	it := startPlugin(t).thing(remoteCommand)
	checked := it.check(props{"connection": props{"host": "127.0.0.1", "port": float64(port), "dialErrorLimit": -1.0}, "create": "true"})
	done := make(chan error, 1)
	go func() { done <- it.createFrom(checked, false) }()
	eventually(t, "a first failure", func() bool { return len(it.log.text()) > 0 })
	it.cancel()
	refused(t, <-done, "context canceled")
}
