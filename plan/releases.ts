import type { Release } from "../config/spec";

/** What a release's keepalived understands; keepalived.conf(5) of that release, tried with its daemon. */
export interface KeepalivedRelease {
  version: string;
  /** `keepalived -t` reads a file without running it (from 2.0.19). */
  configTest: boolean;
  /** Its journal says "Reload complete" (from 2.2); before, nobody can tell how a reload ended, and it is restarted instead. */
  reloadReport: boolean;
  /** `script_user` and `enable_script_security`; without them later releases complain (`-t` fails), and earlier ones don't know them. */
  scriptSecurity: boolean;
  /** `vrrp_garp_master_refresh`. */
  garpRefresh: boolean;
  /**
   * `track_script` in a sync group. Before 2.0 it is ignored there, in silence by 1.2: each instance tracks instead, with
   * `global_tracking` in the group, without which weights count for nothing in a group.
   */
  groupTracking: boolean;
  /** An instance needs `native_ipv6` before its unicast peers may be IPv6 addresses. */
  nativeIpv6: boolean;
  /** A link-local address has to be the first of an IPv6 instance's `virtual_ipaddress`. */
  linkLocalFirst: boolean;
}

/** What a release's haproxy understands; configuration manual of that version. */
export interface HaproxyRelease {
  version: string;
  /** `haproxy -c -dW` takes warnings for errors. */
  strictCheck: boolean;
  /** The package's unit runs a master that answers on /run/haproxy-master.sock. */
  masterSocket: boolean;
  /** `expose-fd listeners` on the statistics socket: a reload loses no connection. */
  exposeListeners: boolean;
  hardStopAfter: boolean;
  /** `fd-hard-limit`; without it maxconn has to be a number. */
  fdHardLimit: boolean;
  /** `ssl-min-ver` and `alpn h2`. */
  modernTls: boolean;
  /** The Prometheus exporter; without it the metrics port has haproxy's own statistics. */
  prometheus: boolean;
  /** `http-request return`. */
  httpReturn: boolean;
  /** `option idle-close-on-response` (from 2.4). */
  idleClose: boolean;
}

export interface ReleaseRow {
  keepalived: KeepalivedRelease;
  haproxy: HaproxyRelease;
}

const KEEPALIVED_2_2: Omit<KeepalivedRelease, "version"> = {
  configTest: true,
  reloadReport: true,
  scriptSecurity: true,
  garpRefresh: true,
  groupTracking: true,
  nativeIpv6: false,
  linkLocalFirst: false,
};

const HAPROXY_2_6: Omit<HaproxyRelease, "version"> = {
  strictCheck: true,
  masterSocket: true,
  exposeListeners: true,
  hardStopAfter: true,
  fdHardLimit: true,
  modernTls: true,
  prometheus: true,
  httpReturn: true,
  idleClose: true,
};

/** What each release has in its archive, and how that differs from the newest. */
export const ROWS: Record<Release, ReleaseRow> = {
  "ubuntu-16.04": {
    keepalived: {
      version: "1.2.19",
      configTest: false,
      reloadReport: false,
      scriptSecurity: false,
      garpRefresh: false,
      groupTracking: false,
      nativeIpv6: true,
      linkLocalFirst: false,
    },
    haproxy: {
      version: "1.6.3",
      strictCheck: false,
      masterSocket: false,
      exposeListeners: false,
      hardStopAfter: false,
      fdHardLimit: false,
      modernTls: false,
      prometheus: false,
      httpReturn: false,
      idleClose: false,
    },
  },
  "ubuntu-18.04": {
    keepalived: { ...KEEPALIVED_2_2, version: "1.3.9", configTest: false, reloadReport: false, groupTracking: false },
    haproxy: {
      ...HAPROXY_2_6,
      version: "1.8.8",
      strictCheck: false,
      masterSocket: false,
      fdHardLimit: false,
      prometheus: false,
      httpReturn: false,
      idleClose: false,
    },
  },
  "ubuntu-20.04": {
    keepalived: { ...KEEPALIVED_2_2, version: "2.0.19", reloadReport: false, linkLocalFirst: true },
    haproxy: {
      ...HAPROXY_2_6,
      version: "2.0.13",
      strictCheck: false,
      fdHardLimit: false,
      httpReturn: false,
      idleClose: false,
    },
  },
  "ubuntu-22.04": {
    keepalived: { ...KEEPALIVED_2_2, version: "2.2.4" },
    haproxy: { ...HAPROXY_2_6, version: "2.4.14", fdHardLimit: false },
  },
  "ubuntu-24.04": {
    keepalived: { ...KEEPALIVED_2_2, version: "2.2.8" },
    haproxy: { ...HAPROXY_2_6, version: "2.8.5" },
  },
  "debian-11": {
    keepalived: { ...KEEPALIVED_2_2, version: "2.1.5", reloadReport: false },
    haproxy: { ...HAPROXY_2_6, version: "2.2.9", fdHardLimit: false, idleClose: false },
  },
  "debian-12": {
    keepalived: { ...KEEPALIVED_2_2, version: "2.2.7" },
    haproxy: { ...HAPROXY_2_6, version: "2.6.12" },
  },
  "debian-13": {
    keepalived: { ...KEEPALIVED_2_2, version: "2.3.3" },
    haproxy: { ...HAPROXY_2_6, version: "3.0.11" },
  },
};
