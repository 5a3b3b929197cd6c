# shellcheck shell=bash disable=SC2154
# Where things are. Needs $toolchain, the folder of these scripts.

# cache_folder: outside every checkout, shared by all of them.
cache_folder() {
  if [ -n "${HA_CLUSTER_CACHE:-}" ]; then
    printf '%s\n' "$HA_CLUSTER_CACHE"
  elif [ "$(id -u)" -eq 0 ]; then
    echo /var/cache/ha-cluster
  else
    printf '%s\n' "$HOME/.cache/ha-cluster"
  fi
}

# own_folder: our toolchain for the sources as they are; other sources have another folder, so that checkouts of different
# age don't disturb each other.
own_folder() {
  local hash
  hash=$(cd "$toolchain" && find versions.sh lib/build.sh engine nodejs-host openstack command \
    -type f ! -name '*_test.go' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-12)
  printf '%s/toolchain-%s-%s\n' "$(cache_folder)" "$hash" "$(uname -m)"
}

# users_pulumi: the pulumi on PATH, unless it is ours; nothing if there is none.
users_pulumi() {
  local candidate real
  while read -r candidate; do
    real=$(readlink -f "$candidate")
    case $real in
      "$(readlink -m "$(cache_folder)")"/toolchain-*) ;;
      *)
        printf '%s\n' "$candidate"
        return
        ;;
    esac
  done < <(type -aP pulumi)
}

# plugin_present HOME NAME VERSION: whether Pulumi would find this plugin without a download.
plugin_present() {
  local folder=$1/plugins/resource-$2-v$3
  { [ -x "$folder/pulumi-resource-$2" ] && [ ! -e "$folder.partial" ]; } || command -v "pulumi-resource-$2" >/dev/null
}
