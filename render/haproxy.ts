import type { Backend, Bind, Frontend, Haproxy, Rule } from "../plan/haproxy";
import type { HaproxyRelease } from "../plan/releases";

/** haproxy's configuration manual, of the release that the machine has. */
export function renderHaproxy(haproxy: Haproxy): string {
  return [
    global(haproxy),
    defaults(haproxy),
    ...haproxy.frontends.map((front) => frontend(front, haproxy.release)),
    ...haproxy.backends.map(backend),
    metrics(haproxy),
  ].join("\n");
}

function global({ release, timers }: Haproxy): string {
  const expose = release.exposeListeners ? " expose-fd listeners" : "";
  const fdLimit = `    # maxconn follows from the machine's limit of open files, up to this; a fixed one would keep haproxy from starting
    # where the limit is lower.
    fd-hard-limit 50000
`;
  const hardStop = `    # A reload leaves the old process to finish its connections, but not for ever.
    hard-stop-after ${duration(timers.hardStopAfter)}
`;
  const tls = release.modernTls ? "ssl-min-ver TLSv1.2" : "no-sslv3 no-tlsv10 no-tlsv11";
  return `global
    log /dev/log local0
    user haproxy
    group haproxy
    stats socket /run/haproxy/admin.sock user root group root mode 600 level admin${expose}
    stats timeout 30s
    # Over a reload whoever is down stays down until a check says otherwise; see haproxy-state.sh.
    server-state-file /var/lib/ha-cluster/haproxy-servers
${release.fdHardLimit ? fdLimit : "    maxconn 20000\n"}${release.hardStopAfter ? hardStop : ""}    ssl-default-bind-options ${tls} no-tls-tickets
    ssl-default-bind-ciphers ECDHE+AESGCM:ECDHE+CHACHA20
`;
}

function defaults({ timers }: Haproxy): string {
  return `defaults
    log global
    load-server-state-from-file global
    option dontlognull
    option redispatch
    retries ${timers.retries}
    timeout connect ${duration(timers.connect)}
    timeout client ${duration(timers.client)}
    timeout server ${duration(timers.server)}
    timeout http-request ${duration(timers.httpRequest)}
    timeout http-keep-alive ${duration(timers.httpKeepAlive)}
    timeout check ${duration(timers.check)}
    default-server inter ${duration(timers.inter)} fall ${timers.fall} rise ${timers.rise}
`;
}

/** As an operator would write it: 500ms, 60s, 10m. */
function duration(seconds: number): string {
  if (!Number.isInteger(seconds)) return `${seconds * 1000}ms`;
  return seconds > 60 && seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
}

/**
 * `http-server-close`: by default haproxy keeps idle connections to applications. A request on one that the application is just giving up
 * (gunicorn after 2 s, by itself) is not answered, but cuts the client's kept connection.
 *
 * `idle-close-on-response`: a reload closes an idle connection with the next answer, not under a client about to ask.
 */
function frontend(front: Frontend, release: HaproxyRelease): string {
  const http =
    front.mode === "http"
      ? `    option httplog
${release.idleClose ? "    option idle-close-on-response\n" : ""}    option http-server-close
    option forwardfor
    http-request set-header X-Forwarded-Proto ${front.scheme}
    http-request set-header X-Real-IP %[src]
`
      : `    option tcplog
`;
  return `frontend ${front.name}
    mode ${front.mode}
${front.binds.map((each) => bind(each, release)).join("")}${timeout("client", front.clientTimeout)}${http}${front.rules.map(rule).join("")}`;
}

/**
 * `transparent` lets haproxy bind a VIP that is on another machine (IP_TRANSPARENT, ip(7)), without the sysctl
 * ip_nonlocal_bind. IPv6 stands without brackets, as every release of haproxy reads it (1.6 refuses brackets).
 */
function bind({ address, port, certificate }: Bind, { modernTls }: HaproxyRelease): string {
  const tls = certificate === undefined ? "" : ` ssl crt ${certificate}${modernTls ? " alpn h2,http/1.1" : ""}`;
  return `    bind ${address}:${port} transparent${tls}\n`;
}

function rule({ destinations, action }: Rule): string {
  const condition = destinations
    ? ` if { dst ${destinations.addresses.join(" ")} } { dst_port ${destinations.port} }`
    : "";
  if ("redirectToHttps" in action) {
    if (action.redirectToHttps === 443) return `    http-request redirect scheme https code 301${condition}\n`;
    const host = `%[hdr(host),regsub(:[0-9]+$,)]`;
    return `    http-request redirect location https://${host}:${action.redirectToHttps}%[capture.req.uri] code 301${condition}\n`;
  }
  return destinations ? `    use_backend ${action.backend}${condition}\n` : `    default_backend ${action.backend}\n`;
}

function backend(back: Backend): string {
  const servers = back.servers.map((server) => {
    const check =
      back.check.kind === "galera"
        ? ` check port ${back.check.port} inter ${duration(back.check.inter)} fastinter ${duration(back.check.fastInter)} on-marked-down shutdown-sessions`
        : " check";
    return `    server ${server.name} ${server.address}:${server.port}${check}${server.backup ? " backup" : ""}\n`;
  });
  return `backend ${back.name}
    mode ${back.mode}
${checkOptions(back)}${timeout("server", back.serverTimeout)}${servers.join("")}`;
}

function timeout(side: "client" | "server", seconds: number | undefined): string {
  return seconds === undefined ? "" : `    timeout ${side} ${duration(seconds)}\n`;
}

function checkOptions({ check }: Backend): string {
  switch (check.kind) {
    case "http":
      return `    balance roundrobin
    option httpchk GET ${check.path}
    http-check expect status 200
`;
    case "galera":
      return `    option httpchk GET /
    http-check expect status 200
`;
    case "tcp":
      return `    balance leastconn
`;
    default:
      return check satisfies never;
  }
}

function metrics({ release, metrics: { address, port } }: Haproxy): string {
  const otherwise = release.httpReturn ? "return status 404" : "deny";
  const rules = release.prometheus
    ? `    http-request use-service prometheus-exporter if { path /metrics }
    http-request ${otherwise}
`
    : `    stats enable
    stats uri /
`;
  return `frontend metrics
    mode http
    bind ${address}:${port}
${rules}`;
}
