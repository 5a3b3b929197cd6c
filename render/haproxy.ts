import type { Backend, Bind, Frontend, Haproxy, Rule } from "../plan/haproxy";

/** haproxy's configuration manual, 2.6. */
export function renderHaproxy(haproxy: Haproxy): string {
  return [
    GLOBAL,
    DEFAULTS,
    ...haproxy.frontends.map(frontend),
    ...haproxy.backends.map(backend),
    metrics(haproxy),
  ].join("\n");
}

const GLOBAL = `global
    log /dev/log local0
    user haproxy
    group haproxy
    stats socket /run/haproxy/admin.sock user root group root mode 600 level admin expose-fd listeners
    stats timeout 30s
    # maxconn follows from the machine's limit of open files, up to this; a fixed one would keep haproxy from starting
    # where the limit is lower.
    fd-hard-limit 50000
    # A reload leaves the old process to finish its connections, but not for ever.
    hard-stop-after 10m
    ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets
    ssl-default-bind-ciphers ECDHE+AESGCM:ECDHE+CHACHA20
`;

const DEFAULTS = `defaults
    log global
    option dontlognull
    option redispatch
    retries 3
    timeout connect 3s
    timeout client 60s
    timeout server 60s
    timeout http-request 10s
    timeout http-keep-alive 10s
    timeout check 2s
    default-server inter 1s fall 2 rise 2
`;

function frontend(front: Frontend): string {
  const http =
    front.mode === "http"
      ? `    option httplog
    option forwardfor
    http-request set-header X-Forwarded-Proto ${front.scheme}
    http-request set-header X-Real-IP %[src]
`
      : `    option tcplog
`;
  return `frontend ${front.name}
    mode ${front.mode}
${front.binds.map(bind).join("")}${http}${front.rules.map(rule).join("")}`;
}

/**
 * `transparent` lets haproxy bind a VIP that is on another machine (IP_TRANSPARENT, ip(7)), without the sysctl
 * ip_nonlocal_bind. IPv6 stands without brackets, as every release of haproxy reads it (1.6 refuses brackets).
 */
function bind({ address, port, certificate }: Bind): string {
  const tls = certificate === undefined ? "" : ` ssl crt ${certificate} alpn h2,http/1.1`;
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
        ? ` check port ${back.check.port} inter 2s fastinter 500ms on-marked-down shutdown-sessions`
        : " check";
    return `    server ${server.name} ${server.address}:${server.port}${check}${server.backup ? " backup" : ""}\n`;
  });
  return `backend ${back.name}
    mode ${back.mode}
${checkOptions(back)}${servers.join("")}`;
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
    timeout server 10m
`;
    case "tcp":
      return `    balance leastconn
`;
    default:
      return check satisfies never;
  }
}

function metrics({ metrics: { address, port } }: Haproxy): string {
  return `frontend metrics
    mode http
    bind ${address}:${port}
    http-request use-service prometheus-exporter if { path /metrics }
    http-request return status 404
`;
}
