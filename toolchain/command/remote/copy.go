package remote

import (
	"context"

	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi-go-provider/infer/types"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// CopyInputs are the inputs of CopyToRemote.
type CopyInputs struct {
	Connection *Connection          `pulumi:"connection"        provider:"secret"`
	Triggers   *[]any               `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Source     types.AssetOrArchive `pulumi:"source"`
	RemotePath string               `pulumi:"remotePath"`
}

// Annotate describes the inputs in the plugin's schema.
func (i *CopyInputs) Annotate(a infer.Annotator) {
	a.Describe(&i.Connection, "How to reach the machine.")
	a.Describe(&i.Triggers, "Values of any type; a change in one of them replaces the resource.")
	a.Describe(&i.Source, "A FileAsset, StringAsset or FileArchive. It is copied as it is: archive files are not unpacked, "+
		"folders are copied with all they hold, files in the way are overwritten.")
	a.Describe(&i.RemotePath, "Where to. Missing parent folders are made. A file or folder goes into a folder that exists; "+
		"text needs the path of a file.")
}

// CopyOutputs are the outputs of CopyToRemote: its inputs.
type CopyOutputs struct{ CopyInputs }

// CopyToRemote is the resource command:remote:CopyToRemote. Deleting it leaves the copy where it is.
type CopyToRemote struct{}

// Annotate describes the resource in the plugin's schema.
func (c *CopyToRemote) Annotate(a infer.Annotator) {
	a.Describe(&c, "A copy of a file, a folder or a text on another machine, made by SFTP. The copy is not deleted with the resource.")
}

// Check allows one source, of a kind that can be copied.
func (*CopyToRemote) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[CopyInputs], error) {
	inputs, failures, err := infer.DefaultCheck[CopyInputs](ctx, req.NewInputs)
	if err == nil {
		failures = append(failures, checkSource(inputs.Source)...)
	}
	return infer.CheckResponse[CopyInputs]{Inputs: inputs, Failures: failures}, err
}

func checkSource(source types.AssetOrArchive) (failures []provider.CheckFailure) {
	refuse := func(property, reason string) {
		failures = append(failures, provider.CheckFailure{Property: property, Reason: reason})
	}
	asset, archive := source.Asset, source.Archive
	if asset != nil && archive != nil {
		refuse("asset", "only one of asset or archive can be set")
	}
	if asset == nil && archive == nil {
		refuse("asset", "either asset or archive must be set")
	}
	if asset != nil && !asset.IsPath() && !asset.IsText() {
		refuse("asset", "asset must be a path-based file asset or a text asset")
	}
	if archive != nil && !archive.IsPath() {
		refuse("archive", "archive must be a path to a file or directory")
	}
	return failures
}

// Create copies. A preview dials nobody.
func (*CopyToRemote) Create(
	ctx context.Context, req infer.CreateRequest[CopyInputs],
) (infer.CreateResponse[CopyOutputs], error) {
	response := infer.CreateResponse[CopyOutputs]{Output: CopyOutputs{req.Inputs}}
	if req.DryRun {
		return response, nil
	}
	err := req.Inputs.copy(ctx)
	if err == nil {
		response.ID, err = resource.NewUniqueHex("", 8, 0)
	}
	return response, err
}

// Update copies if the content or the path has changed; another machine to copy to is no reason.
func (*CopyToRemote) Update(
	ctx context.Context, req infer.UpdateRequest[CopyInputs, CopyOutputs],
) (infer.UpdateResponse[CopyOutputs], error) {
	before, after := req.State.CopyInputs, req.Inputs
	response := infer.UpdateResponse[CopyOutputs]{Output: CopyOutputs{after}}
	if req.DryRun || (before.contentHash() == after.contentHash() && before.RemotePath == after.RemotePath) {
		return response, nil
	}
	return response, after.copy(ctx)
}

func (i *CopyInputs) contentHash() string {
	if i.Source.Archive != nil {
		return i.Source.Archive.Hash
	}
	return i.Source.Asset.Hash
}
