// Package remote serves command:remote:Command and command:remote:CopyToRemote: commands run and files copied by SSH.
package remote

import (
	"context"

	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"ha-cluster/toolchain/command/internal/script"
)

// Logging chooses what is logged while a command runs.
type Logging string

// Values lists the modes for the schema.
func (Logging) Values() []infer.EnumValue[Logging] { return script.LoggingValues[Logging]() }

// CommandInputs are the inputs of a remote command.
type CommandInputs struct {
	script.Inputs
	Stdin                  *string           `pulumi:"stdin,optional"`
	Logging                *Logging          `pulumi:"logging,optional"`
	Connection             *Connection       `pulumi:"connection"                      provider:"secret"`
	Environment            map[string]string `pulumi:"environment,optional"`
	AddPreviousOutputInEnv *bool             `pulumi:"addPreviousOutputInEnv,optional"`
}

// Annotate describes the inputs in the plugin's schema.
func (i *CommandInputs) Annotate(a infer.Annotator) {
	a.Describe(&i.Stdin, "Text for the command's standard input. Default: none.")
	a.Describe(&i.Logging, "What is logged while the command runs; the outputs are captured in any case. Default: stdout and stderr.")
	a.Describe(&i.Connection, "How to reach the machine.")
	a.Describe(&i.Environment, "Variables for the command. The server must accept each (AcceptEnv in sshd_config), or the command fails.")
	a.Describe(&i.AddPreviousOutputInEnv, "Whether the previous output is put into "+script.PreviousStdout+" and "+
		script.PreviousStderr+", where the server accepts them. Default: true.")
}

// CommandOutputs are the outputs of a remote command.
type CommandOutputs struct {
	CommandInputs
	Results
}

// Results are what a run of a command yields.
type Results struct {
	Stdout string `pulumi:"stdout"`
	Stderr string `pulumi:"stderr"`
}

// Annotate describes the outputs in the plugin's schema.
func (r *Results) Annotate(a infer.Annotator) {
	a.Describe(&r.Stdout, "What the command wrote to standard output, without a last end of line.")
	a.Describe(&r.Stderr, "What the command wrote to standard error, without a last end of line.")
}

// Command is the resource command:remote:Command.
type Command struct{}

// Annotate describes the resource in the plugin's schema.
func (c *Command) Annotate(a infer.Annotator) {
	a.Describe(&c, "A command that runs on another machine by SSH, as part of a resource's life.")
}

// Create runs the `create` command, if there is one. A preview dials nobody.
func (*Command) Create(
	ctx context.Context, req infer.CreateRequest[CommandInputs],
) (infer.CreateResponse[CommandOutputs], error) {
	state := CommandOutputs{CommandInputs: req.Inputs}
	id, err := resource.NewUniqueHex(req.Name, 8, 0)
	if err == nil && !req.DryRun {
		err = state.run(ctx, req.Inputs.Create)
	}
	return infer.CreateResponse[CommandOutputs]{ID: id, Output: state}, err
}

// Update runs the `update` command, or else `create`. A preview dials nobody.
func (*Command) Update(
	ctx context.Context, req infer.UpdateRequest[CommandInputs, CommandOutputs],
) (infer.UpdateResponse[CommandOutputs], error) {
	state := CommandOutputs{CommandInputs: req.Inputs, Results: req.State.Results}
	var err error
	if !req.DryRun {
		err = state.run(ctx, req.Inputs.OnUpdate())
	}
	return infer.UpdateResponse[CommandOutputs]{Output: state}, err
}

// Delete runs the `delete` command, if there is one.
func (*Command) Delete(ctx context.Context, req infer.DeleteRequest[CommandOutputs]) (infer.DeleteResponse, error) {
	return infer.DeleteResponse{}, req.State.run(ctx, req.State.Inputs.Delete)
}
