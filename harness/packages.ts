/** A package that is installed, built anew with something appended to its version. */
export interface Build {
  package: string;
  /** Empty for the very version that is installed. */
  suffix: string;
  /** The program ends at once with an error. */
  broken?: boolean;
  /** It can be unpacked, but not configured. */
  unconfigurable?: boolean;
}

/**
 * A script for root on a machine, after which its apt has nothing but a repository with these builds. Debian's own maintainer
 * scripts are in them: they restart the daemon unless policy-rc.d forbids it.
 */
export function localRepository(builds: readonly Build[]): string {
  return `set -eu
rm -rf /root/repository
mkdir -p /root/repository
cd /root/repository
: >Packages
build() { # PACKAGE SUFFIX BROKEN UNCONFIGURABLE
    rm -rf /root/build
    mkdir -p /root/build/DEBIAN
    dpkg-query -L "$1" | (cd /root/build && while read -r path; do
        if [ -f "$path" ]; then cp -a --parents "$path" .; fi
    done)
    for script in preinst postinst prerm postrm conffiles; do
        if [ -e "/var/lib/dpkg/info/$1.$script" ]; then cp "/var/lib/dpkg/info/$1.$script" "/root/build/DEBIAN/$script"; fi
    done
    dpkg-query -s "$1" | sed "/^Status:/d; /^Conffiles:/,/^[A-Z]/ { /^Conffiles:/d; /^ /d; }; s/^Version: .*/&$2/" \\
        >/root/build/DEBIAN/control
    if [ "$3" = true ]; then printf '#!/bin/sh\\nexit 1\\n' >"/root/build/usr/sbin/$1"; fi
    if [ "$4" = true ]; then
        printf '#!/bin/sh\\necho it can not be configured >&2\\nexit 1\\n' >/root/build/DEBIAN/postinst
        chmod 755 /root/build/DEBIAN/postinst
    fi
    dpkg-deb -Znone -b /root/build "$1$2.deb" >/dev/null
    {
        cat /root/build/DEBIAN/control
        echo "Filename: ./$1$2.deb"
        echo "Size: $(stat -c %s "$1$2.deb")"
        echo "SHA256: $(sha256sum "$1$2.deb" | cut -d ' ' -f 1)"
        echo
    } >>Packages
}
${builds
  .map(
    ({ package: name, suffix, broken = false, unconfigurable = false }) =>
      `build ${name} '${suffix}' ${broken} ${unconfigurable}\n`,
  )
  .join("")}
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /root/build
chmod 755 /root
echo 'deb [trusted=yes] file:/root/repository ./' >/etc/apt/sources.list
`;
}
