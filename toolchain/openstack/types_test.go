package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// npmTypes are the type declarations of @pulumi/openstack: OPENSTACK_NPM, or the package that `npm ci` installs.
type npmTypes struct{ dir string }

func readTypes(t *testing.T) npmTypes {
	t.Helper()
	dir := os.Getenv("OPENSTACK_NPM")
	if dir == "" {
		dir = filepath.Join("..", "..", "node_modules", "@pulumi", "openstack")
	}
	if _, err := os.Stat(filepath.Join(dir, "package.json")); err != nil {
		t.Fatalf("run `npm ci` first, or set OPENSTACK_NPM to the folder of @pulumi/openstack: %v", err)
	}
	return npmTypes{dir}
}

func (n npmTypes) read(t *testing.T, module, file string) string {
	t.Helper()
	if module != "" {
		file = strings.ToLower(file[:1]) + file[1:]
	}
	text, err := os.ReadFile(filepath.Join(n.dir, module, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (n npmTypes) contain(t *testing.T, module, file, part string) {
	t.Helper()
	if !strings.Contains(n.read(t, module, file), part) {
		t.Errorf("%s lacks %s", filepath.Join(module, file), part)
	}
}

// class is the shape of a resource's outputs: the `readonly` members of its class.
func (n npmTypes) class(t *testing.T, module, name string) shape {
	t.Helper()
	return n.members(t, body(t, n.read(t, module, name+".d.ts"), "export declare class "+name+" "), "outputs")
}

// declared is the shape of an interface in a file; nested types are looked up in types/input.d.ts or types/output.d.ts.
func (n npmTypes) declared(t *testing.T, module, file, name, side string) shape {
	t.Helper()
	return n.members(t, body(t, n.read(t, module, file+".d.ts"), "export interface "+name+" "), side)
}

// body is the text between the braces that follow a heading.
func body(t *testing.T, text, heading string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, heading)
	if !found {
		t.Fatalf("the npm package has no %q", heading)
	}
	begin := strings.Index(rest, "{") + 1
	depth := 1
	for i := begin; i < len(rest); i++ {
		switch rest[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return rest[begin:i]
			}
		}
	}
	t.Fatalf("%q does not end", heading)
	return ""
}

var (
	comments = regexp.MustCompile(`(?s)/\*.*?\*/`)
	member   = regexp.MustCompile(`(?m)^\s*(?:readonly )?(\w+)\??:\s*((?:[^;{]|\{[^}]*\})*);`)
	wrapping = regexp.MustCompile(`pulumi\.(?:Output|Input)<|>|\s*\|\s*undefined`)
	mapping  = regexp.MustCompile(`(?s)\{[^}]*\}`)
	nested   = regexp.MustCompile(`^(inputs|outputs)\.(\w+)\.(\w+)((?:\[\])*)$`)
)

func (n npmTypes) members(t *testing.T, text, side string) shape {
	t.Helper()
	result := shape{fields: map[string]shape{}}
	for _, found := range member.FindAllStringSubmatch(comments.ReplaceAllString(text, ""), -1) {
		result.fields[found[1]] = n.property(t, found[2], side)
	}
	return result
}

func (n npmTypes) property(t *testing.T, declared, side string) shape {
	t.Helper()
	kind := wrapping.ReplaceAllString(mapping.ReplaceAllString(declared, "map"), "")
	found := nested.FindStringSubmatch(kind)
	if found == nil {
		return shape{kind: kind}
	}
	module := body(t, n.read(t, "", filepath.Join("types", strings.TrimSuffix(side, "s")+".d.ts")), "namespace "+found[2]+" ")
	object := n.members(t, body(t, module, "interface "+found[3]+" "), side)
	object.kind = found[4]
	return object
}
