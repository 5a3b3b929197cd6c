import assert from "node:assert/strict";
import { until } from "../../../operate/poll";
import { footprint, type HandMade, theirHaproxy, theirKeepalived } from "../../support/handmade";
import { MASTERS, movesIn } from "../../support/moves";
import { CERTIFICATE, PRIVATE_KEY } from "../../unit/config/fixtures/pem";
import { INTERNAL_VIP, lab, VIPS } from "../support";

/** A load balancer that a customer made with the openstack command, without this program. */
export interface Host {
  name: string;
  datacenter: string;
  external: { ipv4: string; ipv6: string };
  internal: string;
}

const OWNER = "acme";

/** `ipv6` is what the provider allows each from the start; it has it only after the rollout. */
export const HOSTS: Host[] = [1, 2, 3].map((number) => ({
  name: `${OWNER}-lb${number}`,
  datacenter: `dc${number}`,
  external: { ipv4: `203.0.113.${200 + number}`, ipv6: `2001:db8:46:67a${number}::1` },
  internal: `198.51.100.${140 + number}`,
}));

/** The one that is reached by way of the first only. */
export const HIDDEN = HOSTS[2]!;
export const USER = "debian";
export const VIP = VIPS.www;
export const VRRP_PASSWORD = "hunter2";
/** The certificate's, which both haproxys serve. */
export const SERVER_NAME = "www.acme.example";
export { CERTIFICATE, PRIVATE_KEY };

const THEIR_CERTIFICATE = "/etc/haproxy/certs/www.pem";
const HAND_MADE: HandMade = {
  vip: VIP.ipv4,
  internalVip: INTERNAL_VIP,
  password: VRRP_PASSWORD,
  backends: HOSTS.map(({ internal }) => `${internal}:8080`),
  certificate: THEIR_CERTIFICATE,
};

const NETWORK = `${OWNER}-internal`;
const KEYPAIR = `${OWNER}-ops`;
const GROUPS = ["open", "hidden", "internal"].map((name) => `${OWNER}-${name}`);

/** A network, security groups, ports with the VIPs as allowed address pairs, and a server on them in each zone. */
function making(publicKeyFile: string): string[] {
  const rule = (group: string, words: string): string => `security group rule create --ingress ${words} ${group}`;
  const services = (group: string): string[] => [
    `security group create ${group}`,
    ...["IPv4", "IPv6"].flatMap((family) => [
      ...[80, 443].map((port) => rule(group, `--ethertype ${family} --protocol tcp --dst-port ${port}`)),
      rule(group, `--ethertype ${family} --protocol vrrp`),
      rule(group, `--ethertype ${family} --protocol ${family === "IPv4" ? "icmp" : "ipv6-icmp"}`),
    ]),
  ];
  const [open, hidden, internal] = GROUPS as [string, string, string];
  return [
    `keypair create --public-key ${publicKeyFile} ${KEYPAIR}`,
    `network create ${NETWORK}`,
    `subnet create --network ${NETWORK} --subnet-range 198.51.100.128/25 --gateway none --no-dhcp ${NETWORK}`,
    ...services(open),
    rule(open, "--ethertype IPv4 --protocol tcp --dst-port 22"),
    ...services(hidden),
    `security group create ${internal}`,
    rule(internal, "--ethertype IPv4 --remote-ip 198.51.100.128/25"),
    ...HOSTS.flatMap((host) => {
      const pairs = (addresses: string[]): string =>
        addresses.map((address) => `--allowed-address ip-address=${address}`).join(" ");
      return [
        `port create --network external --fixed-ip subnet=external-ipv4,ip-address=${host.external.ipv4} ` +
          `${pairs([VIP.ipv4, VIP.ipv6, host.external.ipv6])} --security-group ${host === HIDDEN ? hidden : open} ${host.name}-external`,
        `port create --network ${NETWORK} --fixed-ip subnet=${NETWORK},ip-address=${host.internal} ` +
          `${pairs([INTERNAL_VIP])} --security-group ${internal} ${host.name}-internal`,
        `server create --image debian-12 --flavor m1.tiny --availability-zone ${host.datacenter} --key-name ${KEYPAIR} ` +
          `--port ${host.name}-external --port ${host.name}-internal ${host.name}`,
      ];
    }),
  ];
}

/** Makes the hosts, and a server of files behind each; returns when the VIP answers. */
export async function makeHosts(publicKeyFile: string): Promise<void> {
  await lab.openstackAll(making(publicKeyFile));
  await Promise.all(HOSTS.map(furnish));
  await until(
    `the hand-made cluster at ${VIP.ipv4}`,
    () => lab.client("curl", "--silent", "--fail", "--max-time", "2", `http://${VIP.ipv4}/`),
    ({ code }) => code === 0,
  );
  await oneHolder(VIP.ipv4, INTERNAL_VIP);
}

async function furnish({ name, internal }: Host): Promise<void> {
  await until(
    `${name} to have booted`,
    () => lab.ssh(name, "cloud-init status"),
    ({ stdout }) => stdout.includes("done"),
    { seconds: 90 },
  );
  const write = (path: string, owner: string, mode: string, text: string): string =>
    `mkdir -p ${path.replace(/\/[^/]*$/, "")}; cat >${path} <<'END OF FILE'\n${text}END OF FILE\nchown ${owner} ${path}; chmod ${mode} ${path}\n`;
  const script = [
    "set -e\n",
    write("/etc/keepalived/keepalived.conf", "root:root", "0640", theirKeepalived(HAND_MADE)),
    write("/etc/haproxy/haproxy.cfg", "haproxy:root", "0644", theirHaproxy(HAND_MADE)),
    write(THEIR_CERTIFICATE, "haproxy:haproxy", "0440", CERTIFICATE + PRIVATE_KEY),
    `mkdir -p /srv/www; echo ${name} >/srv/www/index.html\n`,
    `systemd-run --quiet --unit=app python3 -m http.server --bind ${internal} --directory /srv/www 8080\n`,
    "systemctl --quiet enable --now haproxy keepalived\n",
  ].join("");
  const { code, stderr } = await lab.sshWithInput(name, "sh", script);
  assert.equal(code, 0, stderr);
}

export function footprints(): Promise<string[]> {
  return Promise.all(HOSTS.map(({ name }) => lab.on(name, footprint([VIP.ipv4, INTERNAL_VIP]))));
}

/** What the cloud has of the project. */
export function cloudPrint(): Promise<string> {
  return lab.openstackAll(["server", "port", "network", "security group", "keypair"].map((kind) => `${kind} list`));
}

/** Waits until one host alone has all these addresses, and says which. */
export async function oneHolder(...addresses: string[]): Promise<string> {
  const holders = async (): Promise<string[][]> => {
    const shown = await Promise.all(
      HOSTS.map(async ({ name }) => ({ name, text: await lab.on(name, "ip -o addr show") })),
    );
    return addresses.map((address) =>
      shown.filter(({ text }) => text.includes(` ${address}/`)).map(({ name }) => name),
    );
  };
  const seen = await until(
    `one host to have ${addresses.join(", ")}`,
    holders,
    (each) => each.every((names) => names.length === 1 && names[0] === each[0]![0]),
    { seconds: 40 },
  );
  return seen[0]![0]!;
}

/** When the VIP moved. */
export async function moves(): Promise<number[]> {
  return movesIn(await Promise.all(HOSTS.map(({ name }) => lab.on(name, MASTERS))));
}
