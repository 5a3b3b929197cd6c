# shellcheck shell=bash disable=SC2034
# The releases that belong together. A change here makes a new toolchain beside the old one.
pulumi_version=3.259.0
nodejs_host_version=3.68.0 # the last SDK whose Go module still holds the Node.js language host; used only when built
plugins="openstack:3.15.2 command:1.2.1"
go_minimum=1.26     # what the modules' go.mod asks for
go_version=1.26.8   # what is fetched where Go is missing or older
