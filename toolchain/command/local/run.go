package local

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"

	"ha-cluster/toolchain/command/internal/script"
)

// run executes a command and takes over its results; nil means that there is nothing to run.
func (o *Outputs) run(ctx context.Context, command *string) error {
	if command == nil {
		return nil
	}
	cmd, err := o.process(ctx, *command)
	if err != nil {
		return err
	}
	logStdout, logStderr := script.Logged(o.Logging)
	capture := script.NewCapture(ctx, logStdout, logStderr)
	cmd.Stdout, cmd.Stderr = capture.Stdout, capture.Stderr
	err = cmd.Run()
	capture.Close()
	if err != nil {
		return capture.Failure(err, *command)
	}
	if err := o.collectFiles(cmd.Dir); err != nil {
		return err
	}
	o.Stdout, o.Stderr = capture.Outputs()
	return nil
}

func (o *Outputs) process(ctx context.Context, command string) (*exec.Cmd, error) {
	words := []string{"/bin/sh", "-c"}
	if o.Interpreter != nil && len(*o.Interpreter) > 0 {
		words = slices.Clone(*o.Interpreter)
	}
	words = append(words, command)
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)

	var err error
	if o.Dir != nil {
		cmd.Dir = *o.Dir
	} else if cmd.Dir, err = os.Getwd(); err != nil {
		return nil, err
	}
	if o.Stdin != nil && *o.Stdin != "" {
		cmd.Stdin = strings.NewReader(*o.Stdin)
	}
	cmd.Env = os.Environ()
	if o.Environment != nil {
		for name, value := range *o.Environment {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	for _, variable := range script.Previous(o.AddPreviousOutputInEnv, o.Stdout, o.Stderr) {
		cmd.Env = append(cmd.Env, variable[0]+"="+variable[1])
	}
	return cmd, nil
}
