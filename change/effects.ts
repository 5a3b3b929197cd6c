/**
 * What changing a key of the stack file does to a cluster that runs:
 *
 * - `nothing`: no server is touched
 * - `reload`: files change and daemons read them again; nothing stops
 * - `handover`: load balancers are changed one after the other, each after it has handed its VIPs over and drained
 * - `restart`: applications or databases restart, one server at a time
 * - `stop`: servers are stopped and started again, one at a time, each after a handover
 * - `replace`: servers are deleted and made anew, one at a time, each after a handover
 * - `come and go`: servers are made or deleted; those that stay are told before
 * - `refused`: not on a cluster that runs
 */
export type Effect = "nothing" | "reload" | "handover" | "restart" | "stop" | "replace" | "come and go" | "refused";

export interface KeyEffect {
  effect: Effect;
  /** What an operator has to know beside it; for what is refused, the way that gets there. */
  words: string;
}

const existing = (effect: Effect, words: string): KeyEffect => ({ effect, words });

const IMAGE: KeyEffect = {
  effect: "replace",
  words:
    "of the servers that `mayReplace` names, one after the other; the others stay as they are. New ones are made of it",
};

/** By key, `<name>` for a name that the operator chooses; complete (test/unit/change/effects.test.ts). */
export const EFFECTS: Record<string, KeyEffect> = {
  customer: {
    effect: "refused",
    words:
      "unless `clusterName` keeps the first name: then names in the cloud and of haproxy's servers change, load balancers hand over and applications restart. Renaming the stack alone changes nothing",
  },
  clusterName: { effect: "refused", words: "server groups and the Galera cluster keep their first name for life" },

  "machines.source": { effect: "refused", words: "another source is another stack" },
  "machines.privateKey": existing("nothing", "it logs in; the hosts must accept it first"),
  "machines.configureIpv6": existing("handover", "the hosts' own IPv6 addresses become ours, or theirs again"),
  "machines.loadBalancers.<name>.hostname": existing("handover", "the name in keepalived.conf"),
  "machines.loadBalancers.<name>.release": existing("handover", "the files are written for that release"),
  "machines.loadBalancers.<name>.external.ipv4": existing(
    "handover",
    "it says what the host has; change it there first, with keepalived stopped",
  ),
  "machines.loadBalancers.<name>.external.ipv6": existing("handover", "as part of the IPv6 rollout"),
  "machines.loadBalancers.<name>.internal": existing(
    "handover",
    "it says what the host has; change it there first, with keepalived stopped",
  ),
  "machines.loadBalancers.<name>.address": existing("nothing", "the way in"),
  "machines.loadBalancers.<name>.user": existing("nothing", "the way in"),
  "machines.loadBalancers.<name>.port": existing("nothing", "the way in"),
  "machines.loadBalancers.<name>.hostKey": existing("handover", "another key is another host: it is taken over anew"),
  "machines.loadBalancers.<name>.jump.host": existing("nothing", "the way in"),
  "machines.loadBalancers.<name>.jump.user": existing("nothing", "the way in"),
  "machines.loadBalancers.<name>.jump.port": existing("nothing", "the way in"),
  "machines.loadBalancers.<name>.jump.hostKey": existing("nothing", "the way in"),

  "datacenters.<name>.availabilityZone": {
    effect: "replace",
    words:
      "nothing if Nova says that its servers stand there already, as when a provider renames its zones. Servers that `mayReplace` names move, to a zone that no other of their kind stands in by then, or that has room for one more; otherwise refused",
  },
  "datacenters.<name>.slot": { effect: "refused", words: "where servers stand: a slot is for life" },
  "quorumRisk.acceptedBy": { effect: "nothing", words: "" },
  "quorumRisk.on": { effect: "nothing", words: "" },

  "external.network": {
    effect: "refused",
    words: "the load balancers' ports are on it; another network is another stack",
  },
  "external.ipv4.cidr": {
    effect: "handover",
    words:
      "to another subnet of the same network: load balancers have both addresses, then the new ones alone. [In one run](#another-external-network)",
  },
  "external.ipv4.gateway": { effect: "handover", words: "the default route of the load balancers" },
  "external.ipv4.loadBalancers": {
    effect: "handover",
    words:
      "load balancers have both addresses, then the new ones alone; the way that SSH takes moves with them. Refused where one of them would get another's: in two runs",
  },
  "external.ipv4.former": { effect: "nothing", words: "it only says which VIPs are allowed" },
  "external.ipv6.prefix": {
    effect: "handover",
    words: "where it comes or goes, with the VIPs' `ipv6`; another prefix is the same as another `external.ipv4.cidr`",
  },
  "external.ipv6.gateway": { effect: "handover", words: "the default route of the load balancers" },
  "external.ipv6.firstSubnet": { effect: "handover", words: "the same as `external.ipv4.loadBalancers`" },
  "external.ipv6.former": { effect: "nothing", words: "it only says which VIPs are allowed" },
  "external.reserveVips": { effect: "nothing", words: "ports at no server come or go" },
  "external.vipRanges": { effect: "nothing", words: "it only says which VIPs are allowed" },
  "internal.cidr": {
    effect: "handover",
    words:
      "to one that contains it: [all addresses stay](#a-larger-internal-network), and databases and applications restart nothing. Any other one is refused",
  },
  "internal.builtAs": { effect: "refused", words: "addresses are counted from it, for life" },
  "internal.vip": {
    effect: "restart",
    words:
      "load balancers have both; then databases and applications are told, one after the other; then load balancers have the new one alone. [In one run](#what-both-sides-must-agree-on)",
  },

  "vips.<name>.ipv4": { effect: "handover", words: "who still asks for an address that goes gets no answer" },
  "vips.<name>.ipv6": { effect: "handover", words: "the same; the IPv6 rollout is this" },
  "vips.<name>.primary": {
    effect: "handover",
    words: "the instance of the internal network keeps load balancers together; clients notice nothing",
  },
  "vips.<name>.advertised": { effect: "handover", words: "the same" },

  "services.<name>.vips": { effect: "handover", words: "" },
  "services.<name>.http": { effect: "handover", words: "who still asks for the old port gets no answer" },
  "services.<name>.https": { effect: "handover", words: "the same" },
  "services.<name>.tcp": { effect: "handover", words: "the same" },
  "services.<name>.certificate": { effect: "handover", words: "" },
  "services.<name>.servers": {
    effect: "handover",
    words:
      "if at least one server of the group stands; refused where all would be new: first add the group, `pulumi up`, deploy there",
  },
  "services.<name>.healthCheck": {
    effect: "handover",
    words: "servers that do not answer 200 on the new path are out",
  },
  "services.<name>.redirect": { effect: "handover", words: "" },

  "certificates.<name>.certificate": { effect: "handover", words: "" },
  "certificates.<name>.privateKey": { effect: "handover", words: "" },

  "loadBalancers.flavor": {
    effect: "stop",
    words: "Nova resizes one load balancer after the other; the VIPs are elsewhere meanwhile",
  },
  "loadBalancers.image": IMAGE,
  "loadBalancers.packages.haproxy": { effect: "handover", words: "" },
  "loadBalancers.packages.keepalived": { effect: "handover", words: "" },
  "appServers.<name>.runtime": { effect: "nothing", words: "this release has one" },
  "appServers.<name>.port": {
    effect: "restart",
    words:
      "each server listens on the new port and redirects the old one to it; when all do, load balancers hand over and are told; then the redirects go",
  },
  "appServers.<name>.perDatacenter": {
    effect: "come and go",
    words: "new servers take the release that their group runs from a neighbour before anybody asks them",
  },
  "appServers.<name>.flavor": {
    effect: "stop",
    words: "Nova resizes one server after the other, when its requests are answered",
  },
  "appServers.<name>.image": IMAGE,
  "appServers.<name>.slots": { effect: "refused", words: "where servers stand: a slot is for life" },
  "appServers.<name>.serversNamed": {
    effect: "refused",
    words: "servers have their names for life. Written when the group gets another name, it has them stay who they are",
  },
  "appServers.<name>.addresses": existing("handover", "the servers themselves are not touched"),
  "database.engine": { effect: "nothing", words: "this release has one" },
  "database.port": {
    effect: "restart",
    words:
      "load balancers listen on both; then applications are told, one after the other; then load balancers forget the old one. [In one run](#what-both-sides-must-agree-on)",
  },
  "database.flavor": {
    effect: "stop",
    words:
      "Nova resizes one database after the other, only while the others are synced; sessions to the one that writes end",
  },

  "database.image": {
    effect: "replace",
    words:
      "of the databases that `mayReplace` names, one after the other, only while the others are synced; refused where the image is of another Debian release",
  },

  "vrrp.advertInterval": { effect: "handover", words: "" },
  "vrrp.firstRouterId": { effect: "handover", words: "all that are not written follow it; as below" },
  "vrrp.routerIds.ipv4": {
    effect: "handover",
    words: "all at once in two steps, so that one of the three always stays, which keeps the group together",
  },
  "vrrp.routerIds.ipv6": { effect: "handover", words: "the same" },
  "vrrp.routerIds.internal": { effect: "handover", words: "the same" },
  "vrrp.version": { effect: "handover", words: "" },
  "vrrp.authentication": { effect: "handover", words: "" },
  "vrrp.password": { effect: "handover", words: "" },
  "vrrp.transport": {
    effect: "handover",
    words:
      "in two steps, as router ids; with IPv6 in one, as that instance always speaks by unicast. On hosts that somebody else built it is refused on IPv4 alone",
  },

  "ssh.user": {
    effect: "reload",
    words:
      "each server that runs lets the new user in, by the old one's login; [the old one stays](#another-user) until you remove it",
  },
  "ssh.allowedFrom": { effect: "reload", words: "the machine that runs `pulumi up` must stay in it" },
  "interfaces.external": {
    effect: "refused",
    words: "by each machine that has no such interface; the image decides how they are called",
  },
  "interfaces.internal": { effect: "refused", words: "the same" },
  "interfaces.server": { effect: "refused", words: "the same" },
  image: IMAGE,
  nameservers: { effect: "reload", words: "" },
  mayDelete: { effect: "nothing", words: "by itself" },
  mayReplace: {
    effect: "nothing",
    words: "by itself: those that it names are replaced where `image` or a zone asks for that",
  },
  mayDestroy: { effect: "nothing", words: "by itself" },
  rootSecret: { effect: "refused", words: "every key of the cluster follows from it" },
};
