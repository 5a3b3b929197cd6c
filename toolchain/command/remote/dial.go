package remote

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/retry"
	"golang.org/x/crypto/ssh"
)

// machine is an SSH connection, with all that must be closed after it.
type machine struct {
	*ssh.Client
	beneath []func()
}

// Close ends the connection and what it was carried by. Whatever runs in the background on the machine lives on.
func (m *machine) Close() {
	if m.Client != nil {
		_ = m.Client.Close()
	}
	for i := len(m.beneath) - 1; i >= 0; i-- {
		m.beneath[i]()
	}
}

// dial logs in to the machine, through its proxy if there is one, retrying as often as DialErrorLimit of each allows.
// The caller closes the result.
func (c *Connection) dial(ctx context.Context) (_ *machine, err error) {
	address, err := c.address()
	if err != nil {
		return nil, err
	}
	m := &machine{}
	defer func() {
		if err != nil {
			m.Close()
		}
	}()
	config, closeAgent, err := c.clientConfig()
	if err != nil {
		return nil, err
	}
	m.beneath = append(m.beneath, closeAgent)

	connect := func() (net.Conn, error) { return net.DialTimeout("tcp", address, config.Timeout) }
	if c.Proxy != nil {
		proxy, err := c.Proxy.dial(ctx)
		if err != nil {
			return nil, fmt.Errorf("proxy: %w", err)
		}
		m.beneath = append(m.beneath, proxy.Close)
		connect = func() (net.Conn, error) { return proxy.Dial("tcp", address) }
	}
	m.Client, err = c.logIn(ctx, "Dial", address, config, connect)
	if err != nil && c.Proxy != nil {
		err = fmt.Errorf("proxy: %w", err)
	}
	return m, err
}

func (c *ProxyConnection) dial(ctx context.Context) (*machine, error) {
	address, err := c.address()
	if err != nil {
		return nil, err
	}
	config, closeAgent, err := c.clientConfig()
	if err != nil {
		return nil, err
	}
	client, err := c.logIn(ctx, "Dial proxy", address, config, func() (net.Conn, error) {
		return net.DialTimeout("tcp", address, config.Timeout)
	})
	if err != nil {
		closeAgent()
		return nil, err
	}
	return &machine{client, []func(){closeAgent}}, nil
}

// logIn connects and does the SSH handshake until both succeed, at most DialErrorLimit+1 times, with a growing pause.
// Every attempt has a connection of its own: on a used one the real cause of a refusal would be lost.
func (e *endpoint) logIn(
	ctx context.Context, what, address string, config *ssh.ClientConfig, connect func() (net.Conn, error),
) (*ssh.Client, error) {
	limit := orDefault(e.DialErrorLimit, defaultDialErrorLimit)
	pause := retry.DefaultDelay
	for failures := 0; ; {
		client, err := handshake(address, config, connect)
		if err == nil {
			return client, nil
		}
		if limit > unlimitedDialErrors && failures >= limit {
			return nil, fmt.Errorf("after %d failed attempts: %w", failures, err)
		}
		failures++
		provider.GetLogger(ctx).InfoStatusf("%s %d/%s failed: retrying", what, failures, limitText(limit))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		pause = min(time.Duration(float64(pause)*retry.DefaultBackoff), retry.DefaultMaxDelay)
	}
}

func handshake(address string, config *ssh.ClientConfig, connect func() (net.Conn, error)) (*ssh.Client, error) {
	conn, err := connect()
	if err != nil {
		return nil, err
	}
	client, channels, requests, err := ssh.NewClientConn(conn, address, config)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return ssh.NewClient(client, channels, requests), nil
}

func limitText(limit int) string {
	if limit == unlimitedDialErrors {
		return "inf"
	}
	return strconv.Itoa(limit)
}
