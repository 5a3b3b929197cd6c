package remote

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/pulumi/pulumi-go-provider/infer"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// Defaults of a connection.
const (
	defaultUser           = "root"
	defaultPort           = 22
	defaultDialErrorLimit = 10
	defaultPerDialTimeout = 15
	unlimitedDialErrors   = -1
)

// Connection says how to reach a machine by SSH, directly or through a proxy.
type Connection struct {
	endpoint
	Proxy *ProxyConnection `pulumi:"proxy,optional"`
}

// ProxyConnection says how to reach the proxy (jump host). It has a host key and credentials of its own.
type ProxyConnection struct{ endpoint }

type endpoint struct {
	User               *string  `pulumi:"user,optional"`
	Password           *string  `pulumi:"password,optional"           provider:"secret"`
	Host               *string  `pulumi:"host"`
	Port               *float64 `pulumi:"port,optional"`
	PrivateKey         *string  `pulumi:"privateKey,optional"         provider:"secret"`
	PrivateKeyPassword *string  `pulumi:"privateKeyPassword,optional" provider:"secret"`
	AgentSocketPath    *string  `pulumi:"agentSocketPath,optional"`
	DialErrorLimit     *int     `pulumi:"dialErrorLimit,optional"`
	PerDialTimeout     *int     `pulumi:"perDialTimeout,optional"`
	HostKey            *string  `pulumi:"hostKey,optional"`
}

// Annotate describes the connection in the plugin's schema and gives its defaults.
func (c *Connection) Annotate(a infer.Annotator) {
	a.Describe(&c, "How to reach a machine by SSH.")
	a.Describe(&c.Proxy, "A jump host to go through. Default: none.")
	c.annotate(a)
}

// Annotate describes the proxy in the plugin's schema and gives its defaults.
func (c *ProxyConnection) Annotate(a infer.Annotator) {
	a.Describe(&c, "How to reach a jump host by SSH.")
	c.annotate(a)
}

func (e *endpoint) annotate(a infer.Annotator) {
	a.Describe(&e.User, "The user to log in as.")
	a.SetDefault(&e.User, defaultUser)
	a.Describe(&e.Password, "The user's password. Default: none.")
	a.Describe(&e.Host, "Name or address of the machine.")
	a.Describe(&e.Port, "The port of its SSH server.")
	a.SetDefault(&e.Port, defaultPort)
	a.Describe(&e.PrivateKey, "A private key (its text, PEM), tried before the password. Default: none.")
	a.Describe(&e.PrivateKeyPassword, "The passphrase of an encrypted private key.")
	a.Describe(&e.AgentSocketPath, "The socket of an SSH agent. Default: that of SSH_AUTH_SOCK, if set.")
	a.Describe(&e.DialErrorLimit, "How many failed dials are retried; -1 for no limit.")
	a.SetDefault(&e.DialErrorLimit, defaultDialErrorLimit)
	a.Describe(&e.PerDialTimeout, "Seconds that one dial may take to connect; 0 for no limit.")
	a.SetDefault(&e.PerDialTimeout, defaultPerDialTimeout)
	a.Describe(&e.HostKey, "The public key the server must show, as in authorized_keys. Default: any key is accepted.")
}

// address is host:port, with brackets around IPv6.
func (e *endpoint) address() (string, error) {
	if e.Host == nil {
		return "", errors.New("the connection has no host: set connection.host")
	}
	return net.JoinHostPort(*e.Host, strconv.Itoa(int(orDefault(e.Port, defaultPort)))), nil
}

// clientConfig turns the inputs into what the SSH library wants. Close the returned function's resources after logging in.
func (e *endpoint) clientConfig() (config *ssh.ClientConfig, closeAgent func(), err error) {
	config = &ssh.ClientConfig{
		User:            orDefault(e.User, defaultUser),
		Timeout:         time.Duration(orDefault(e.PerDialTimeout, defaultPerDialTimeout)) * time.Second,
		HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	}
	if e.HostKey != nil {
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(*e.HostKey))
		if err != nil {
			return nil, nil, fmt.Errorf("failed to parse host key: %w", err)
		}
		config.HostKeyCallback = ssh.FixedHostKey(key)
		// Without this the server picks the type of key it shows, and a right key of another type would be refused.
		config.HostKeyAlgorithms = []string{key.Type()}
	}
	if e.PrivateKey != nil {
		signer, err := e.signer()
		if err != nil {
			return nil, nil, err
		}
		config.Auth = append(config.Auth, ssh.PublicKeys(signer))
	}
	if e.Password != nil {
		config.Auth = append(config.Auth, ssh.Password(*e.Password), ssh.KeyboardInteractive(answerAll(*e.Password)))
	}
	closeAgent = func() {}
	if socket := e.agentSocket(); socket != "" {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			return nil, nil, err
		}
		closeAgent = func() { _ = conn.Close() }
		config.Auth = append(config.Auth, ssh.PublicKeysCallback(agent.NewClient(conn).Signers))
	}
	return config, closeAgent, nil
}

func (e *endpoint) signer() (ssh.Signer, error) {
	if e.PrivateKeyPassword != nil {
		return ssh.ParsePrivateKeyWithPassphrase([]byte(*e.PrivateKey), []byte(*e.PrivateKeyPassword))
	}
	return ssh.ParsePrivateKey([]byte(*e.PrivateKey))
}

func (e *endpoint) agentSocket() string {
	return orDefault(e.AgentSocketPath, os.Getenv("SSH_AUTH_SOCK"))
}

// answerAll gives the password to every question of a server that asks interactively (PAM).
func answerAll(password string) ssh.KeyboardInteractiveChallenge {
	return func(_, _ string, questions []string, _ []bool) ([]string, error) {
		answers := make([]string, len(questions))
		for i := range answers {
			answers[i] = password
		}
		return answers, nil
	}
}

func orDefault[T any](value *T, fallback T) T {
	if value == nil {
		return fallback
	}
	return *value
}
