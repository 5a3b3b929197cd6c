package local

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/gobwas/glob"
	"github.com/pulumi/pulumi-go-provider/infer/types"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// collectFiles fills the `assets` and `archive` outputs with what the command left in its folder.
func (o *Outputs) collectFiles(dir string) error {
	if o.AssetPaths != nil {
		found, err := findFiles(dir, *o.AssetPaths)
		if err != nil {
			return err
		}
		assets := make(map[string]*types.AssetOrArchive, len(found))
		for name, asset := range found {
			assets[name] = &types.AssetOrArchive{Asset: asset}
		}
		o.Assets = &assets
	}
	if o.ArchivePaths != nil {
		found, err := findFiles(dir, *o.ArchivePaths)
		if err != nil {
			return err
		}
		members := make(map[string]any, len(found))
		for name, asset := range found {
			members[name] = asset
		}
		if o.Archive, err = resource.NewAssetArchive(members); err != nil {
			return err
		}
	}
	return nil
}

// rule is one glob; the last rule that matches a file decides about it.
type rule struct {
	glob.Glob
	exclude bool
}

func parseRules(patterns []string) ([]rule, error) {
	rules := make([]rule, 0, len(patterns))
	for _, pattern := range patterns {
		bare, exclude := strings.CutPrefix(pattern, "!")
		compiled, err := glob.Compile(bare, '/')
		if err != nil {
			return nil, fmt.Errorf("the glob %q: %w", pattern, err)
		}
		rules = append(rules, rule{compiled, exclude})
	}
	return rules, nil
}

// findFiles returns the files below dir that the patterns choose, by relative path.
func findFiles(dir string, patterns []string) (map[string]*resource.Asset, error) {
	rules, err := parseRules(patterns)
	if err != nil {
		return nil, err
	}
	found := map[string]*resource.Asset{}
	err = fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		chosen := false
		for _, rule := range rules {
			if rule.Match(name) {
				chosen = !rule.exclude
			}
		}
		if !chosen {
			return nil
		}
		found[name], err = resource.NewPathAsset(path.Join(dir, name))
		return err
	})
	return found, err
}
