// pulumi-resource-command serves the part of Pulumi's command provider that our program uses, for networks where the
// original can't be downloaded. It is started by Pulumi's engine; see ../README.md for what was compared with the original.
package main

import (
	"context"
	"fmt"
	"os"

	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi-go-provider/middleware/schema"

	"ha-cluster/toolchain/command/local"
	"ha-cluster/toolchain/command/remote"
)

// version of the original whose behaviour is served; the engine asks for it by this number.
const version = "1.2.1"

func newProvider() provider.Provider {
	return infer.Provider(infer.Options{
		Metadata: schema.Metadata{
			DisplayName: "Command",
			Description: "Commands and copies, local and by SSH: a replacement for Pulumi's command provider.",
		},
		Resources: []infer.InferredResource{
			infer.Resource(&local.Command{}),
			infer.Resource(&remote.Command{}),
			infer.Resource(&remote.CopyToRemote{}),
		},
	})
}

func main() {
	if err := newProvider().Run(context.Background(), "command", version); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-command:", err)
		os.Exit(1)
	}
}
