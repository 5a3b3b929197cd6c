// Package local serves command:local:Command: commands that run on the machine where Pulumi runs.
package local

import (
	"context"

	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi-go-provider/infer/types"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"ha-cluster/toolchain/command/internal/script"
)

// Logging chooses what is logged while a command runs.
type Logging string

// Values lists the modes for the schema.
func (Logging) Values() []infer.EnumValue[Logging] { return script.LoggingValues[Logging]() }

// Inputs of a local command.
type Inputs struct {
	script.Inputs
	Process
}

// Process says how a command is run.
type Process struct {
	Stdin                  *string            `pulumi:"stdin,optional"`
	Logging                *Logging           `pulumi:"logging,optional"`
	Interpreter            *[]string          `pulumi:"interpreter,optional"`
	Dir                    *string            `pulumi:"dir,optional"`
	Environment            *map[string]string `pulumi:"environment,optional"`
	AssetPaths             *[]string          `pulumi:"assetPaths,optional"`
	ArchivePaths           *[]string          `pulumi:"archivePaths,optional"`
	AddPreviousOutputInEnv *bool              `pulumi:"addPreviousOutputInEnv,optional"`
}

// Annotate describes the inputs in the plugin's schema.
func (p *Process) Annotate(a infer.Annotator) {
	a.Describe(&p.Stdin, "Text for the command's standard input. Default: none.")
	a.Describe(&p.Logging, "What is logged while the command runs; the outputs are captured in any case. Default: stdout and stderr.")
	a.Describe(&p.Interpreter, "Program and arguments to which the command is appended. Default: `[\"/bin/sh\", \"-c\"]`.")
	a.Describe(&p.Dir, "The folder in which the command runs; it must exist. Default: the program's.")
	a.Describe(&p.Environment, "Variables added to the environment of the command.")
	a.Describe(&p.AssetPaths, "Globs, evaluated in order, of files to return as `assets` after the command. "+
		"`*` stops at a slash, `**` does not; a leading `!` takes files out again. Paths are relative to `dir`.")
	a.Describe(&p.ArchivePaths, "As `assetPaths`, for files to return as one `archive`.")
	a.Describe(&p.AddPreviousOutputInEnv, "Whether the previous output is put into "+script.PreviousStdout+" and "+
		script.PreviousStderr+". Default: true.")
}

// Outputs of a local command.
type Outputs struct {
	Inputs
	Results
}

// Results are what a run of a command yields.
type Results struct {
	Stdout  string                            `pulumi:"stdout"`
	Stderr  string                            `pulumi:"stderr"`
	Assets  *map[string]*types.AssetOrArchive `pulumi:"assets,optional"`
	Archive *resource.Archive                 `pulumi:"archive,optional"`
}

// Annotate describes the outputs in the plugin's schema.
func (r *Results) Annotate(a infer.Annotator) {
	a.Describe(&r.Stdout, "What the command wrote to standard output, without a last end of line.")
	a.Describe(&r.Stderr, "What the command wrote to standard error, without a last end of line.")
	a.Describe(&r.Assets, "The files chosen by `assetPaths`, by path relative to `dir`.")
	a.Describe(&r.Archive, "The files chosen by `archivePaths`.")
}

// Command is the resource command:local:Command.
type Command struct{}

// Annotate describes the resource in the plugin's schema.
func (c *Command) Annotate(a infer.Annotator) {
	a.Describe(&c, "A command that runs on the machine where Pulumi runs, as part of a resource's life.")
}

// Create runs the `create` command, if there is one. A preview runs nothing.
func (*Command) Create(ctx context.Context, req infer.CreateRequest[Inputs]) (infer.CreateResponse[Outputs], error) {
	state := Outputs{Inputs: req.Inputs}
	id, err := resource.NewUniqueHex(req.Name, 8, 0)
	if err == nil && !req.DryRun {
		err = state.run(ctx, req.Inputs.Create)
	}
	return infer.CreateResponse[Outputs]{ID: id, Output: state}, err
}

// Update runs the `update` command, or else `create`. A preview runs nothing.
func (*Command) Update(ctx context.Context, req infer.UpdateRequest[Inputs, Outputs]) (infer.UpdateResponse[Outputs], error) {
	state := Outputs{Inputs: req.Inputs, Results: req.State.Results}
	var err error
	if !req.DryRun {
		err = state.run(ctx, req.Inputs.OnUpdate())
	}
	return infer.UpdateResponse[Outputs]{Output: state}, err
}

// Delete runs the `delete` command, if there is one.
func (*Command) Delete(ctx context.Context, req infer.DeleteRequest[Outputs]) (infer.DeleteResponse, error) {
	return infer.DeleteResponse{}, req.State.run(ctx, req.State.Inputs.Delete)
}
