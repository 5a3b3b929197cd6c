// pulumi-resource-command serves the part of Pulumi's command provider that our program uses, for networks where the
// original can't be downloaded. It is started by Pulumi's engine; see ../README.md for what was compared with the original.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi-go-provider/middleware/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"

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

// withEngine ends the plugin when the engine is gone that has given it its address. The library's own health check ends a
// context that nobody waits for, and so a plugin went on for ever, with the operators' key in its memory.
func withEngine(arguments []string) error {
	if len(arguments) == 0 {
		return nil
	}
	address := arguments[len(arguments)-1]
	return rpcutil.Healthcheck(context.Background(), address, 5*time.Second, func() { os.Exit(1) })
}

func main() {
	if err := withEngine(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-command:", err)
		os.Exit(1)
	}
	if err := newProvider().Run(context.Background(), "command", version); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-command:", err)
		os.Exit(1)
	}
}
