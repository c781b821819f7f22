/** Every bound of the HTTP side in one place; tests make them small. */
export interface Limits {
  /** Per listening socket. */
  maxConnections: number;
  /** Until the headers, and until the whole request, must have arrived. */
  headersTimeoutMs: number;
  requestTimeoutMs: number;
  /**
   * How often those two are looked at, connected or not: node's default of 30 s would leave a slow request open as long, twice
   * a second took a third to a half of an idle daemon's processor time.
   */
  checkIntervalMs: number;
  /** How long an idle kept-alive connection stays. */
  keepAliveMs: number;
  /** Without a byte in either direction; longer than a clean-up may take. */
  idleTimeoutMs: number;
  bodyBytes: number;
  headerBytes: number;
  /** Requests per minute: all from one caller, control from one caller, and failed attempts at control. */
  requestsPerMinute: number;
  controlPerMinute: number;
  failuresPerMinute: number;
  /** Event streams open at a time, and the unread bytes at which one is dropped. */
  maxStreams: number;
  streamBufferBytes: number;
  heartbeatMs: number;
  /** Events kept for a reader that comes back. */
  eventsKept: number;
  /** How old /metrics and /api/v1/status may be while nothing happens: many readers cost as much as one. */
  freshMs: number;
}

/** What the daemon uses. A slow request is closed after 6 s at most. */
export const defaultLimits: Limits = {
  maxConnections: 64,
  headersTimeoutMs: 3_000,
  requestTimeoutMs: 4_000,
  checkIntervalMs: 2_000,
  keepAliveMs: 5_000,
  idleTimeoutMs: 120_000,
  bodyBytes: 4_096,
  headerBytes: 8_192,
  requestsPerMinute: 1_200,
  controlPerMinute: 30,
  failuresPerMinute: 10,
  maxStreams: 24,
  streamBufferBytes: 262_144,
  heartbeatMs: 15_000,
  eventsKept: 64,
  freshMs: 500,
};
