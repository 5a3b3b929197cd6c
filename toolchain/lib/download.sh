# shellcheck shell=bash disable=SC2154
# The vendor's way: his archive of the engine with its language hosts, and his plugins.

vendor_architecture() {
  case $(uname -m) in
    x86_64) echo x64 ;;
    aarch64) echo arm64 ;;
    *) return 1 ;;
  esac
}

# download_engine FOLDER: fails where the network is closed, after 5 seconds at most.
download_engine() {
  local archive
  archive=pulumi-v$pulumi_version-linux-$(vendor_architecture).tar.gz || return
  rm -rf "$work/download" && mkdir "$work/download"
  curl -fsSL --connect-timeout 5 --speed-limit 10000 --speed-time 30 -o "$work/download/$archive" \
    "https://get.pulumi.com/releases/sdk/$archive" || return
  tar -xzf "$work/download/$archive" -C "$work/download" || return
  [ -x "$work/download/pulumi/pulumi-language-nodejs" ] || return
  "$work/download/pulumi/pulumi" version | grep -qx "v$pulumi_version" || return
  rm -rf "$1" && mv "$work/download/pulumi" "$1"
  rm -rf "$work/download"
}

# download_plugin PULUMI NAME VERSION: bounded, since Pulumi retries for long where nobody answers.
download_plugin() {
  timeout --foreground 180 "$1" plugin install resource "$2" "$3"
}
