// pulumi-resource-openstack serves the part of @pulumi/openstack 3.15.2 that our program uses, for networks where the
// original can't be downloaded: terraform-provider-openstack 1.54.1, the release behind it, joined to Pulumi's bridge.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/terraform-provider-openstack/terraform-provider-openstack/openstack"
)

// version of the npm package whose resources are served; the engine asks for the plugin by this number.
const version = "3.15.2"

// token is the name of a resource or function in the npm package: openstack:networking/secGroup:SecGroup.
func token(module, name string) string {
	return "openstack:" + module + "/" + strings.ToLower(name[:1]) + name[1:] + ":" + name
}

func resource(module, name string, fields ...fields) *tfbridge.ResourceInfo {
	info := &tfbridge.ResourceInfo{Tok: tokens.Type(token(module, name))}
	for _, given := range fields {
		info.Fields = given
	}
	return info
}

func function(module, name string) *tfbridge.DataSourceInfo {
	return &tfbridge.DataSourceInfo{Tok: tokens.ModuleMember(token(module, name))}
}

// fields are properties whose name or shape in the npm package is not what the bridge would choose.
type fields = map[string]*tfbridge.SchemaInfo

// provider lists what is served. To add one, take its token from __pulumiType or runtime.invoke in the npm package; the
// tests then tell which of its fields need a word here.
func provider() tfbridge.ProviderInfo {
	terraform := openstack.Provider()
	// It has a default, and so would warn every user in every run about a setting that nobody has made.
	terraform.Schema["use_octavia"].Deprecated = ""
	info := tfbridge.ProviderInfo{
		P:       shimv2.NewProvider(terraform),
		Name:    "openstack",
		Version: version,
		Resources: map[string]*tfbridge.ResourceInfo{
			"openstack_networking_network_v2": resource("networking", "Network"),
			"openstack_networking_subnet_v2": resource("networking", "Subnet", fields{
				"allocation_pool":  {Name: "allocationPools"},
				"allocation_pools": {Name: "allocationPoolsCollection"}, // deprecated, and in the way of the other's plural
			}),
			"openstack_networking_port_v2":          resource("networking", "Port"),
			"openstack_networking_secgroup_v2":      resource("networking", "SecGroup"),
			"openstack_networking_secgroup_rule_v2": resource("networking", "SecGroupRule"),
			"openstack_compute_instance_v2":         resource("compute", "Instance"),
			"openstack_compute_keypair_v2":          resource("compute", "Keypair"),
			"openstack_compute_servergroup_v2": resource("compute", "ServerGroup", fields{
				"policies": {MaxItemsOne: tfbridge.False()},
			}),
		},
		DataSources: map[string]*tfbridge.DataSourceInfo{
			"openstack_networking_network_v2":         function("networking", "getNetwork"),
			"openstack_networking_subnet_v2":          function("networking", "getSubnet"),
			"openstack_networking_port_ids_v2":        function("networking", "getPortIds"),
			"openstack_networking_port_v2":            function("networking", "getPort"),
			"openstack_images_image_v2":               function("images", "getImage"),
			"openstack_images_image_ids_v2":           function("images", "getImageIds"),
			"openstack_compute_availability_zones_v2": function("compute", "getAvailabilityZones"),
			"openstack_compute_flavor_v2":             function("compute", "getFlavor"),
			"openstack_compute_instance_v2":           function("compute", "getInstanceV2"),
		},
	}
	// Without it a resource that needs a name and is given none fails, instead of being named after its Pulumi resource.
	info.SetAutonaming(255, "-")
	return info
}

func main() {
	// The library looks once in five minutes whether the engine is still there: so long a killed run would leave it behind.
	if arguments := os.Args[1:]; len(arguments) > 0 {
		address := arguments[len(arguments)-1]
		if err := rpcutil.Healthcheck(context.Background(), address, 5*time.Second, func() { os.Exit(1) }); err != nil {
			fmt.Fprintln(os.Stderr, "pulumi-resource-openstack:", err)
			os.Exit(1)
		}
	}
	// The schema serves for generating SDKs; at run time the bridge wants no more of it than the package's name.
	tfbridge.Main("openstack", version, provider(), []byte(`{"name":"openstack","version":"`+version+`"}`))
}
