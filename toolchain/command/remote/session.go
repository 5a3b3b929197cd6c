package remote

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	provider "github.com/pulumi/pulumi-go-provider"
	"golang.org/x/crypto/ssh"

	"ha-cluster/toolchain/command/internal/script"
)

// run executes a command on the machine and takes over its output; nil means that there is nothing to run, and nobody is
// dialed. Once started, a command is waited for, also after a cancellation: half a change is worse than a late one.
func (o *CommandOutputs) run(ctx context.Context, command *string) error {
	if command == nil {
		return nil
	}
	machine, err := o.Connection.dial(ctx)
	if err != nil {
		return err
	}
	defer machine.Close()
	session, err := machine.NewSession()
	if err != nil {
		return err
	}
	defer session.Close()
	if err := o.sendEnvironment(ctx, session); err != nil {
		return err
	}
	if o.Stdin != nil && *o.Stdin != "" {
		session.Stdin = strings.NewReader(*o.Stdin)
	}
	logStdout, logStderr := script.Logged(o.Logging)
	capture := script.NewCapture(ctx, logStdout, logStderr)
	session.Stdout, session.Stderr = capture.Stdout, capture.Stderr
	err = session.Run(*command)
	capture.Close()
	if err != nil {
		return capture.Failure(err, *command)
	}
	o.Stdout, o.Stderr = capture.Outputs()
	return nil
}

// sendEnvironment hands variables to the server. One of the user's that is refused is an error; earlier output that is
// refused is only worth a warning.
func (o *CommandOutputs) sendEnvironment(ctx context.Context, session *ssh.Session) error {
	log := provider.GetLogger(ctx)
	for _, name := range slices.Sorted(maps.Keys(o.Environment)) {
		if err := session.Setenv(name, o.Environment[name]); err != nil {
			log.Error(refused(name))
			return fmt.Errorf("could not set environment variable %q: %w", name, err)
		}
	}
	for _, variable := range script.Previous(o.AddPreviousOutputInEnv, o.Stdout, o.Stderr) {
		if err := session.Setenv(variable[0], variable[1]); err != nil {
			log.Warning(refused(variable[0]))
		}
	}
	return nil
}

func refused(name string) string {
	return fmt.Sprintf("Unable to set '%s': the SSH server does not accept it. List it in AcceptEnv of its sshd_config, "+
		"or write the command as '%s=value command'.", name, name)
}
