package behaviour

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

func TestNoChangeIsNoDiff(t *testing.T) {
	server := startServer(t)
	inputs := props{
		"connection": server.connection(props{"proxy": props{"host": "203.0.113.1"}}), "delete": "true",
		"stdin": "text", "environment": props{"A": "b"}, "triggers": []any{"t", 1.0},
	}
	does, why := startPlugin(t).create(remoteCommand, inputs).diff(inputs)
	equal(t, "without a change", does+why, "nothing")
}

func TestAnyOtherInputUpdates(t *testing.T) {
	server := startServer(t)
	inputs := props{"connection": server.connection(), "triggers": []any{"t"}}
	it := startPlugin(t).create(remoteCommand, inputs)
	for name, value := range map[string]any{
		"create": "echo", "update": "echo", "delete": "echo", "stdin": "text", "environment": props{"A": "b"},
		"logging": "none", "addPreviousOutputInEnv": false,
	} {
		does, why := it.diff(with(inputs, props{name: value}))
		equal(t, "a change of "+name, does, "update")
		contains(t, why, name)
	}
	for name, value := range map[string]any{
		"host": "203.0.113.1", "port": 23.0, "user": "ops", "password": "secret", "privateKey": "other", "privateKeyPassword": "p",
		"agentSocketPath": "/x", "dialErrorLimit": 3.0, "perDialTimeout": 4.0, "hostKey": "other", "proxy": props{"host": "203.0.113.1"},
	} {
		does, why := it.diff(with(inputs, props{"connection": server.connection(props{name: value})}))
		equal(t, "a change of connection."+name, does+" "+why, "update connection")
	}
}

func TestInputTakenAwayUpdates(t *testing.T) {
	server := startServer(t)
	inputs := props{"connection": server.connection(), "stdin": "text"}
	does, why := startPlugin(t).create(remoteCommand, inputs).diff(with(inputs, props{"stdin": nil}))
	equal(t, "stdin taken away", does+" "+why, "update stdin")
}

// A trigger replaces because @pulumi/command asks the engine to: replaceOnChanges "triggers[*]". The plugin's part is to
// name the changed elements in just this form; itself it would update.
func TestTriggersAreReportedElementByElement(t *testing.T) {
	server := startServer(t)
	for kind, inputs := range map[string]props{
		remoteCommand: {"connection": server.connection(), "triggers": []any{"a", 1.0}},
		localCommand:  {"triggers": []any{"a", 1.0}},
		copyToRemote: {
			"connection": server.connection(), "triggers": []any{"a", 1.0}, "source": text(t, "x"), "remotePath": server.dir + "/copy",
		},
	} {
		it := startPlugin(t).create(kind, inputs)
		for element, triggers := range map[string][]any{
			"triggers[0]": {"b", 1.0}, "triggers[1]": {"a"}, "triggers[2]": {"a", 1.0, props{"deep": "b"}},
		} {
			does, why := it.diff(with(inputs, props{"triggers": triggers}))
			equal(t, kind+" with other triggers", does+" "+why, "update "+element)
		}
		does, _ := it.diff(inputs)
		equal(t, kind+" with the same triggers", does, "nothing")
	}
}

func TestNobodyIsDialedInPreview(t *testing.T) {
	server := startServer(t)
	port, count := listen(t, hangUp)
	elsewhere := props{"host": "127.0.0.1", "port": float64(port)}
	for kind, inputs := range map[string]props{
		remoteCommand: {"create": "true", "update": "true", "stdin": "x"},
		copyToRemote:  {"source": text(t, "x"), "remotePath": server.dir + "/copy"},
	} {
		p := startPlugin(t)
		planned := p.thing(kind)
		must(t, planned.createFrom(planned.check(with(inputs, props{"connection": elsewhere})), true), "Create in a preview")
		it := p.create(kind, with(inputs, props{"connection": server.connection()}))
		must(t, it.tryUpdate(with(inputs, props{"connection": elsewhere, "remotePath": inputs["remotePath"]}), true), "Update in a preview")
		does, _ := it.diff(with(inputs, props{"connection": elsewhere}))
		equal(t, "diff", does, "update")
	}
	equal(t, "dials", count(), 0)
}

func TestNobodyIsDialedWithoutACommand(t *testing.T) {
	port, count := listen(t, hangUp)
	inputs := props{"connection": props{"host": "127.0.0.1", "port": float64(port)}}
	it := startPlugin(t).create(remoteCommand, inputs)
	equal(t, "stdout", it.output("stdout"), "")
	it.update(with(inputs, props{"stdin": "x"}))
	must(t, it.tryDelete())
	equal(t, "dials", count(), 0)
}

func TestRefreshKeepsTheStateAndDialsNobody(t *testing.T) {
	server := startServer(t)
	it := startPlugin(t).create(remoteCommand, props{"connection": server.connection(), "create": "echo hello"})
	before := server.connections()
	response, err := it.Read(it.context(), &pulumirpc.ReadRequest{
		Id: it.id, Urn: it.urn, Name: "it", Type: it.kind, Properties: it.marshal(it.state), Inputs: it.marshal(it.inputs),
	})
	must(t, err)
	equal(t, "id", response.Id, it.id)
	equal(t, "state", fmt.Sprint(it.unmarshal(response.Properties)), fmt.Sprint(it.state))
	equal(t, "inputs", fmt.Sprint(it.unmarshal(response.Inputs)), fmt.Sprint(it.inputs))
	equal(t, "connections", server.connections(), before)
}

func TestPreviewWithUnknownInputs(t *testing.T) {
	it := startPlugin(t).thing(remoteCommand)
	checked := it.check(props{"connection": props{"host": unknown, "hostKey": unknown}, "create": "true", "stdin": unknown})
	must(t, it.createFrom(checked, true), "Create in a preview")
	for _, name := range []resource.PropertyKey{"stdout", "stderr", "stdin"} {
		if !it.state[name].ContainsUnknowns() {
			t.Errorf("%s must be unknown: %v", name, it.state[name])
		}
	}
}

func TestDefaultsOfConnectionAndProxy(t *testing.T) {
	it := startPlugin(t).thing(remoteCommand)
	checked := it.check(props{"connection": props{"host": "203.0.113.1", "proxy": props{"host": "203.0.113.2"}}})
	connection := revealed(checked["connection"]).ObjectValue()
	proxy := revealed(connection["proxy"]).ObjectValue()
	delete(connection, "proxy")
	const defaults = "map[dialErrorLimit:{10} host:{203.0.113.%d} perDialTimeout:{15} port:{22} user:{root}]"
	equal(t, "connection", fmt.Sprint(connection), fmt.Sprintf(defaults, 1))
	equal(t, "proxy", fmt.Sprint(proxy), fmt.Sprintf(defaults, 2))
}

func TestRequiredInputs(t *testing.T) {
	p := startPlugin(t)
	for kind, cases := range map[string]map[string]props{
		remoteCommand: {"connection": {"create": "true"}, "host": {"connection": props{"user": "root"}}},
		copyToRemote: {
			"connection": {"source": text(t, "x"), "remotePath": "/x"}, "remotePath": {"source": text(t, "x"), "connection": props{"host": "h"}},
		},
	} {
		for missing, inputs := range cases {
			_, failures := p.thing(kind).tryCheck(inputs)
			contains(t, strings.Join(failures, "\n"), missing)
		}
	}
}

func TestConnectionIsSecretOutputIsNot(t *testing.T) {
	server := startServer(t)
	it := startPlugin(t).create(remoteCommand, props{
		"connection": server.connection(props{"privateKeyPassword": nil}), "create": "echo hello",
	})
	for where, properties := range map[string]resource.PropertyMap{"inputs": it.inputs, "state": it.state} {
		if !properties["connection"].IsSecret() {
			t.Errorf("the connection must be secret in the %s: %v", where, properties["connection"])
		}
	}
	equal(t, "stdout is plain", it.output("stdout"), "hello")
}

// Whoever prints a secret must say so: additionalSecretOutputs: ["stdout"], logging: "none".
func TestSecretInputStaysSecretButOutputIsNotMadeSecret(t *testing.T) {
	server := startServer(t)
	it := startPlugin(t).create(remoteCommand, props{
		"connection": server.connection(), "create": "cat", "stdin": resource.MakeSecret(resource.NewStringProperty("hush")),
	})
	if !it.state["stdin"].IsSecret() {
		t.Errorf("stdin must stay secret: %v", it.state["stdin"])
	}
	equal(t, "stdout is plain", it.output("stdout"), "hush")
}

func revealed(value resource.PropertyValue) resource.PropertyValue {
	if value.IsSecret() {
		return value.SecretValue().Element
	}
	return value
}

func TestPluginInfo(t *testing.T) {
	p := startPlugin(t)
	info, err := p.GetPluginInfo(p.context(), nil)
	must(t, err)
	equal(t, "version", info.Version, "1.2.1")
}

// schemaText is the schema in short, inputs after <, outputs after >; name:type, ! for required, * for secret, ^ for what
// replaces, = for a default.
const schemaText = `
command:local:Command < addPreviousOutputInEnv:boolean archivePaths:array assetPaths:array create:string delete:string dir:string environment:object interpreter:array logging:local:Logging stdin:string triggers:array^ update:string
command:local:Command > addPreviousOutputInEnv:boolean archive:Archive archivePaths:array assetPaths:array assets:object create:string delete:string dir:string environment:object interpreter:array logging:local:Logging stderr:string! stdin:string stdout:string! triggers:array^ update:string
command:local:Logging none stderr stdout stdoutAndStderr
command:remote:Command < addPreviousOutputInEnv:boolean connection:remote:Connection!* create:string delete:string environment:object logging:remote:Logging stdin:string triggers:array^ update:string
command:remote:Command > addPreviousOutputInEnv:boolean connection:remote:Connection!* create:string delete:string environment:object logging:remote:Logging stderr:string! stdin:string stdout:string! triggers:array^ update:string
command:remote:Connection agentSocketPath:string dialErrorLimit:integer=10 host:string! hostKey:string password:string* perDialTimeout:integer=15 port:number=22 privateKey:string* privateKeyPassword:string* proxy:remote:ProxyConnection user:string=root
command:remote:CopyToRemote < connection:remote:Connection!* remotePath:string! source:Asset! triggers:array^
command:remote:CopyToRemote > connection:remote:Connection!* remotePath:string! source:Asset! triggers:array^
command:remote:Logging none stderr stdout stdoutAndStderr
command:remote:ProxyConnection agentSocketPath:string dialErrorLimit:integer=10 host:string! hostKey:string password:string* perDialTimeout:integer=15 port:number=22 privateKey:string* privateKeyPassword:string* user:string=root
`

func TestSchema(t *testing.T) {
	p := startPlugin(t)
	response, err := p.GetSchema(p.context(), &pulumirpc.GetSchemaRequest{})
	must(t, err)
	var schema struct {
		Types map[string]struct {
			Properties map[string]map[string]any
			Required   []string
			Enum       []struct{ Value string }
		}
		Resources map[string]struct {
			Properties, InputProperties map[string]map[string]any
			Required, RequiredInputs    []string
		}
	}
	must(t, json.Unmarshal([]byte(response.Schema), &schema))
	var lines []string
	for name, kind := range schema.Types {
		if len(kind.Enum) == 0 {
			lines = append(lines, name+" "+inShort(kind.Properties, kind.Required))
			continue
		}
		var values []string
		for _, value := range kind.Enum {
			values = append(values, value.Value)
		}
		lines = append(lines, name+" "+strings.Join(slices.Sorted(slices.Values(values)), " "))
	}
	for name, kind := range schema.Resources {
		if name == "command:remote:CopyFile" {
			continue // deprecated in the original, not used by our program, not served by our plugin
		}
		lines = append(lines, name+" < "+inShort(kind.InputProperties, kind.RequiredInputs))
		lines = append(lines, name+" > "+inShort(kind.Properties, kind.Required))
	}
	equal(t, "schema", "\n"+strings.Join(slices.Sorted(slices.Values(lines)), "\n")+"\n", schemaText)
}

func inShort(properties map[string]map[string]any, required []string) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		property := properties[name]
		kind, _ := property["type"].(string)
		if reference, ok := property["$ref"].(string); ok {
			kind = strings.TrimPrefix(strings.TrimPrefix(reference, "#/types/command:"), "pulumi.json#/")
		}
		word := name + ":" + kind
		if slices.Contains(required, name) {
			word += "!"
		}
		if property["secret"] == true {
			word += "*"
		}
		if property["replaceOnChanges"] == true {
			word += "^"
		}
		if value, ok := property["default"]; ok {
			word += fmt.Sprint("=", value)
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}
