import HTTPCore

/// The server's connections at one moment.
package struct ConnectionStatistics: Sendable, Equatable {
  /// Connections that are open, and the most that may be (`max_connections`).
  package var open, limit: Int
  /// Connections accepted, and refused because of the limit, since the start.
  package var accepted, refused: UInt64
  /// Refused connections beyond the share of their address (`max_connections_per_address`).
  package var beyondShare: UInt64
  /// Connections of proxies that were closed because they had no valid header of the PROXY protocol.
  package var proxyHeadersRefused: UInt64
  /// How often accepting paused for a moment because descriptors or memory were used up.
  package var acceptPauses: UInt64
  /// Bodies and answers given up because the clients sent or read them too slowly.
  package var slowUploads, slowDownloads: UInt64
  /// TLS handshakes completed, and failed.
  package var tlsHandshakes, tlsFailures: UInt64
  /// Requests refused before the service saw them, by the status of the answer.
  package var requestsRefused: [HTTPStatus: UInt64]

  package init(
    open: Int, limit: Int, accepted: UInt64, refused: UInt64, beyondShare: UInt64 = 0,
    proxyHeadersRefused: UInt64 = 0, acceptPauses: UInt64 = 0,
    tlsHandshakes: UInt64 = 0, tlsFailures: UInt64 = 0, slowUploads: UInt64 = 0,
    slowDownloads: UInt64 = 0,
    requestsRefused: [HTTPStatus: UInt64] = [:]
  ) {
    self.open = open
    self.limit = limit
    self.accepted = accepted
    self.refused = refused
    self.beyondShare = beyondShare
    self.proxyHeadersRefused = proxyHeadersRefused
    self.acceptPauses = acceptPauses
    self.tlsHandshakes = tlsHandshakes
    self.tlsFailures = tlsFailures
    self.slowUploads = slowUploads
    self.slowDownloads = slowDownloads
    self.requestsRefused = requestsRefused
  }
}
