/** haproxy's timers, in seconds, and its counters; the names are those of the configuration manual. */
export interface HaproxyTimers {
  connect: number;
  client: number;
  server: number;
  httpRequest: number;
  httpKeepAlive: number;
  /** For the answer to a health check; the connection before it has the shorter of `connect` and `inter`. */
  check: number;
  /** From the end of one health check to the beginning of the next. */
  inter: number;
  fall: number;
  rise: number;
  /** How often a connection to a server is tried again; the last time with another server (`option redispatch`). */
  retries: number;
  /** What a reload leaves to the old process. */
  hardStopAfter: number;
}

export const HAPROXY_TIMERS: HaproxyTimers = {
  connect: 3,
  client: 60,
  server: 60,
  httpRequest: 10,
  httpKeepAlive: 10,
  check: 2,
  inter: 1,
  fall: 2,
  rise: 2,
  retries: 3,
  hardStopAfter: 600,
};

/** Connections to the database stay open without traffic: pools keep them, and a query may take its time. */
export const DATABASE_IDLE = 600;

/** The status service of Galera is checked less often than an application, until an answer is not the expected one. */
export const DATABASE_CHECK = { inter: 2, fastInter: 0.5 };

/** keepalived's track scripts, in seconds. keepalived starts no second run of a script while one is under way. */
export const SCRIPT_TIMERS = { interval: 1, timeout: 2 };
