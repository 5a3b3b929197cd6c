import type { Figures } from "../operate/measure/judge";
import { duration } from "./markup";

export interface Row {
  what: string;
  value: string;
  /** What the figure means, for who meets it the first time. */
  meaning: string;
}

/** The figures of one fault as a table's rows; `–` where there was nothing to measure. */
export function rows(figures: Figures): Row[] {
  const { ipv4, ipv6 } = figures;
  const time = (value: number | undefined): string => (value === undefined ? "–" : duration(value));
  const requests = (family: Figures["ipv4"]): string => (family ? `${family.failed} of ${family.sent}` : "–");
  return [
    { what: "Gap IPv4", value: time(ipv4?.longest), meaning: "longest time between two answered requests" },
    { what: "Gap IPv6", value: time(ipv6?.longest), meaning: "longest time between two answered requests" },
    { what: "Failed IPv4", value: requests(ipv4), meaning: "new connections, HTTP and HTTPS" },
    { what: "Failed IPv6", value: requests(ipv6), meaning: "new connections, HTTP and HTTPS" },
    { what: "Gap gateway", value: time(figures.gateway), meaning: "an internal server’s way out, by echo requests" },
    { what: "Gap internal VIP", value: time(figures.internalVip), meaning: "as an internal server sees it" },
    { what: "Two masters", value: time(figures.twoMasters), meaning: "a VIP was on more than one load balancer" },
    { what: "Families apart", value: time(figures.apart), meaning: "IPv4 and IPv6 VIPs on different load balancers" },
    { what: "Heal", value: time(figures.heal), meaning: "from putting it back until all was as before" },
  ];
}
