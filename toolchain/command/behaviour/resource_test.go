package behaviour

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	engine "github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// Kinds of resources.
const (
	remoteCommand = "command:remote:Command"
	localCommand  = "command:local:Command"
	copyToRemote  = "command:remote:CopyToRemote"
)

// props are inputs as a program would write them. A nested props is an object; unknown and secret values are allowed.
type props = map[string]any

// unknown is a value that a preview does not know yet.
var unknown = resource.MakeComputed(resource.NewStringProperty(""))

// with returns inputs with some of them changed; nil takes an input away.
func with(inputs, changes props) props {
	result := maps.Clone(inputs)
	for name, value := range changes {
		if value == nil {
			delete(result, name)
		} else {
			result[name] = value
		}
	}
	return result
}

// thing is one resource in the hands of the engine.
type thing struct {
	*plugin
	kind, urn, id string
	inputs, state resource.PropertyMap
}

// thing prepares a resource without creating it.
func (p *plugin) thing(kind string) *thing {
	return &thing{plugin: p, kind: kind, urn: "urn:pulumi:stack::project::" + kind + "::it"}
}

var marshalling = engine.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, KeepResources: true}

func (r *thing) marshal(m resource.PropertyMap) *structpb.Struct {
	r.t.Helper()
	result, err := engine.MarshalProperties(m, marshalling)
	must(r.t, err)
	return result
}

func (r *thing) unmarshal(s *structpb.Struct) resource.PropertyMap {
	r.t.Helper()
	result, err := engine.UnmarshalProperties(s, marshalling)
	must(r.t, err)
	return result
}

// tryCheck validates inputs; failures are "property: reason".
func (r *thing) tryCheck(inputs props) (checked resource.PropertyMap, failures []string) {
	r.t.Helper()
	response, err := r.Check(r.context(), &pulumirpc.CheckRequest{
		Urn: r.urn, Name: "it", Type: r.kind,
		Olds: r.marshal(r.inputs), News: r.marshal(resource.NewPropertyMapFromMap(inputs)),
	})
	must(r.t, err, "Check")
	for _, failure := range response.Failures {
		failures = append(failures, failure.Property+": "+failure.Reason)
	}
	return r.unmarshal(response.Inputs), failures
}

func (r *thing) check(inputs props) resource.PropertyMap {
	r.t.Helper()
	checked, failures := r.tryCheck(inputs)
	if len(failures) > 0 {
		r.t.Fatalf("Check refuses: %v", failures)
	}
	return checked
}

// tryCreate creates the resource; the error is what a user would read.
func (r *thing) tryCreate(inputs props) error {
	r.t.Helper()
	return r.createFrom(r.check(inputs), false)
}

func (r *thing) createFrom(checked resource.PropertyMap, preview bool) error {
	r.t.Helper()
	response, err := r.ResourceProviderClient.Create(r.context(), &pulumirpc.CreateRequest{
		Urn: r.urn, Name: "it", Type: r.kind, Properties: r.marshal(checked), Preview: preview,
	})
	if err != nil {
		return plain(err)
	}
	r.id, r.inputs, r.state = response.Id, checked, r.unmarshal(response.Properties)
	return nil
}

func (p *plugin) create(kind string, inputs props) *thing {
	p.t.Helper()
	r := p.thing(kind)
	must(p.t, r.tryCreate(inputs), "Create")
	return r
}

// diff says what new inputs would do: "nothing", "update" or "replace", and the properties that are the reason.
func (r *thing) diff(inputs props) (does string, reasons string) {
	r.t.Helper()
	response, err := r.Diff(r.context(), &pulumirpc.DiffRequest{
		Id: r.id, Urn: r.urn, Name: "it", Type: r.kind,
		Olds: r.marshal(r.state), OldInputs: r.marshal(r.inputs), News: r.marshal(r.check(inputs)),
	})
	must(r.t, err, "Diff")
	does = "nothing"
	if response.Changes == pulumirpc.DiffResponse_DIFF_SOME {
		does = "update"
	}
	for _, change := range response.DetailedDiff {
		if strings.HasSuffix(change.Kind.String(), "_REPLACE") {
			does = "replace"
		}
	}
	return does, strings.Join(slices.Sorted(maps.Keys(response.DetailedDiff)), " ")
}

// tryUpdate applies new inputs in place.
func (r *thing) tryUpdate(inputs props, preview bool) error {
	r.t.Helper()
	checked := r.check(inputs)
	response, err := r.ResourceProviderClient.Update(r.context(), &pulumirpc.UpdateRequest{
		Id: r.id, Urn: r.urn, Name: "it", Type: r.kind, Preview: preview,
		Olds: r.marshal(r.state), OldInputs: r.marshal(r.inputs), News: r.marshal(checked),
	})
	if err != nil {
		return plain(err)
	}
	if !preview {
		r.inputs, r.state = checked, r.unmarshal(response.Properties)
	}
	return nil
}

func (r *thing) update(inputs props) {
	r.t.Helper()
	must(r.t, r.tryUpdate(inputs, false), "Update")
}

func (r *thing) tryDelete() error {
	r.t.Helper()
	_, err := r.ResourceProviderClient.Delete(r.context(), &pulumirpc.DeleteRequest{
		Id: r.id, Urn: r.urn, Name: "it", Type: r.kind,
		Properties: r.marshal(r.state), OldInputs: r.marshal(r.inputs),
	})
	return plain(err)
}

// cancel tells the plugin that the user has pressed Ctrl-C.
func (p *plugin) cancel() {
	p.t.Helper()
	_, err := p.Cancel(p.context(), &emptypb.Empty{})
	must(p.t, err)
}

// output is a string output of the resource; the test fails where it is missing, unknown or secret.
func (r *thing) output(name string) string {
	r.t.Helper()
	value := r.state[resource.PropertyKey(name)]
	if !value.IsString() {
		r.t.Fatalf("%s is no plain string: %v", name, value)
	}
	return value.StringValue()
}

// plain strips the gRPC wrapping from an error.
func plain(err error) error {
	if err == nil {
		return nil
	}
	return plainError(status.Convert(err).Message())
}

type plainError string

func (e plainError) Error() string { return string(e) }

// refused asserts that something failed and returns the message.
func refused(t *testing.T, err error, parts ...string) string {
	t.Helper()
	if err == nil {
		t.Fatal("this must fail")
	}
	contains(t, err.Error(), parts...)
	return err.Error()
}
