// Package script holds what local and remote commands have in common: the scripts of a resource's life, which of their
// output is logged, and the capture of that output.
package script

import "github.com/pulumi/pulumi-go-provider/infer"

// Names of the variables that hand the output of the previous create or update to the next script.
const (
	PreviousStdout = "PULUMI_COMMAND_STDOUT"
	PreviousStderr = "PULUMI_COMMAND_STDERR"
)

// Inputs are the scripts of a resource's life. A change of Triggers replaces the resource; a change of anything else
// updates it.
type Inputs struct {
	Triggers *[]any  `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Create   *string `pulumi:"create,optional"`
	Update   *string `pulumi:"update,optional"`
	Delete   *string `pulumi:"delete,optional"`
}

// Annotate describes the inputs in the plugin's schema.
func (i *Inputs) Annotate(a infer.Annotator) {
	a.Describe(&i.Triggers, "Values of any type; a change in one of them replaces the resource.")
	a.Describe(&i.Create, "The command run when the resource is created, and on updates that have no `update` of their own.")
	a.Describe(&i.Update, "The command run when an input has changed. Default: `create`. "+
		"Finds the previous output in "+PreviousStdout+" and "+PreviousStderr+".")
	a.Describe(&i.Delete, "The command run when the resource is deleted. Default: none. "+
		"Finds the previous output in "+PreviousStdout+" and "+PreviousStderr+".")
}

// OnUpdate is the command for an update: Update, or else Create; nil if neither is given.
func (i Inputs) OnUpdate() *string {
	if i.Update != nil {
		return i.Update
	}
	return i.Create
}

// Previous lists the variables that carry earlier output, as name and value, stdout first. Empty output is left out, and
// so is all of it where wanted is false; nil means true.
func Previous(wanted *bool, stdout, stderr string) [][2]string {
	var variables [][2]string
	if wanted != nil && !*wanted {
		return variables
	}
	if stdout != "" {
		variables = append(variables, [2]string{PreviousStdout, stdout})
	}
	if stderr != "" {
		variables = append(variables, [2]string{PreviousStderr, stderr})
	}
	return variables
}
