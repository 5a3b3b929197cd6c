package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
)

// The plugin and the npm package are made apart here, so their properties must be compared: a name or a shape that differs
// would be dropped in silence, or fail at run time only.

// shape is what a property looks like to a program: "string", "number[]", "map", or the properties of an object.
type shape struct {
	kind   string
	fields map[string]shape
}

// lines lists a shape, a property a line: "fixedIps[].subnetId: string".
func (s shape) lines(path string) []string {
	if s.fields == nil {
		return []string{path + ": " + s.kind}
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(s.fields)) {
		all = append(all, s.fields[name].lines(path+s.kind+"."+name)...)
	}
	return all
}

// served is the shape of what the plugin serves, by its own schema; only chooses among the properties at the top.
func served(fields shim.SchemaMap, infos map[string]*tfbridge.SchemaInfo, only func(shim.Schema) bool) shape {
	result := shape{fields: map[string]shape{}}
	fields.Range(func(name string, field shim.Schema) bool {
		if only(field) && field.Removed() == "" {
			result.fields[tfbridge.TerraformToPulumiNameV2(name, fields, infos)] = servedProperty(field, infos[name])
		}
		return true
	})
	return result
}

func servedProperty(field shim.Schema, info *tfbridge.SchemaInfo) shape {
	var infos map[string]*tfbridge.SchemaInfo
	if info != nil && info.Elem != nil {
		infos = info.Elem.Fields
	}
	switch field.Type() {
	case shim.TypeBool:
		return shape{kind: "boolean"}
	case shim.TypeInt, shim.TypeFloat:
		return shape{kind: "number"}
	case shim.TypeString:
		return shape{kind: "string"}
	case shim.TypeMap:
		return shape{kind: "map"}
	}
	var element shape
	switch elem := field.Elem().(type) {
	case shim.Resource:
		element = served(elem.Schema(), infos, output)
	case shim.Schema:
		element = servedProperty(elem, nil)
	}
	if !tfbridge.IsMaxItemsOne(field, info) {
		element.kind += "[]"
	}
	return element
}

func output(shim.Schema) bool { return true }

func input(field shim.Schema) bool { return field.Optional() || field.Required() }

func TestResourcesHaveTheShapeOfTheNpmPackage(t *testing.T) {
	types := readTypes(t)
	info := provider()
	for name, resource := range info.Resources {
		module, class := parts(string(resource.Tok))
		t.Run(class, func(t *testing.T) {
			schema := info.P.ResourcesMap().Get(name).Schema()
			types.contain(t, module, class+".js", "__pulumiType = '"+string(resource.Tok)+"'")
			compare(t, "outputs", served(schema, resource.Fields, output), types.class(t, module, class))
			compare(t, "inputs", served(schema, resource.Fields, input), types.declared(t, module, class, class+"Args", "inputs"))
		})
	}
}

func TestFunctionsHaveTheShapeOfTheNpmPackage(t *testing.T) {
	types := readTypes(t)
	info := provider()
	for name, function := range info.DataSources {
		module, call := parts(string(function.Tok))
		t.Run(call, func(t *testing.T) {
			schema := info.P.DataSourcesMap().Get(name).Schema()
			prefix := strings.ToUpper(call[:1]) + call[1:]
			types.contain(t, module, call+".js", `runtime.invoke("`+string(function.Tok)+`"`)
			results := served(schema, function.Fields, output)
			results.fields["id"] = shape{kind: "string"} // Pulumi's own
			compare(t, "results", results, types.declared(t, module, call, prefix+"Result", "outputs"))
			compare(t, "arguments", served(schema, function.Fields, input), types.declared(t, module, call, prefix+"Args", "inputs"))
		})
	}
}

func TestVersionIsThatOfTheNpmPackage(t *testing.T) {
	readTypes(t).contain(t, "", "package.json", `"version": "v`+version+`"`)
}

// parts splits a token into module and name.
func parts(token string) (module, name string) {
	words := strings.Split(token, ":")
	module, _, _ = strings.Cut(words[1], "/")
	return module, words[2]
}

func compare(t *testing.T, what string, got, want shape) {
	t.Helper()
	ours, theirs := got.lines(""), want.lines("")
	for _, line := range ours {
		if !slices.Contains(theirs, line) {
			t.Errorf("%s: the plugin serves %s, the npm package does not", what, line)
		}
	}
	for _, line := range theirs {
		if !slices.Contains(ours, line) {
			t.Errorf("%s: the npm package has %s, the plugin does not", what, line)
		}
	}
	if len(ours) == 0 {
		t.Error(fmt.Sprint(what, ": nothing was compared"))
	}
}
