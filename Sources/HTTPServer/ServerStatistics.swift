import HTTPCore
import Synchronization

/// A server's counters at one moment.
package struct ServerStatistics: Sendable, Equatable {
  /// Connections that are open now.
  package var connectionsOpen = 0
  /// Connections admitted since the start.
  package var connectionsAccepted = 0
  /// Connections beyond a limit, which got a 429 or were closed without one.
  package var connectionsRefused = 0
  /// Of these, connections beyond `max_connections_per_address`.
  package var connectionsBeyondShare = 0
  /// Connections that were closed because the proxy did not begin them with a header of the PROXY protocol.
  package var proxyHeadersRefused = 0
  /// How often a loop stopped accepting for a moment, because descriptors or memory were exhausted.
  package var acceptPauses = 0
  /// TLS handshakes that were completed, and those that failed.
  package var tlsHandshakes = 0
  package var tlsFailures = 0
  /// Connections that a time-out ended.
  package var connectionsTimedOut = 0
  /// Requests whose bodies came too slowly.
  package var slowUploads = 0
  /// Responses that were cut off because their clients took them too slowly.
  package var slowDownloads = 0
  /// Requests that came over HTTP/1.
  package var http1Requests = 0
  /// Requests that came over HTTP/2.
  package var http2Requests = 0
  /// Requests whose client left before the answer.
  package var requestsAbandoned = 0
  /// Requests that the application did not answer, by the status of the response.
  package var requestsRefused: [HTTPStatus: Int] = [:]
  /// The bytes that request bodies take now, of requests that are incomplete or not answered.
  package var bodyBytesHeld = 0
  /// Bytes read from clients.
  package var bytesReceived = 0
  /// Bytes written to clients.
  package var bytesSent = 0
}

/// The counters behind `ServerStatistics`, shared by the loops.
final class ServerCounters: Sendable {
  let connectionsOpen = Atomic(0)
  let connectionsAccepted = Atomic(0)
  let connectionsRefused = Atomic(0)
  let connectionsBeyondShare = Atomic(0)
  let proxyHeadersRefused = Atomic(0)
  let acceptPauses = Atomic(0)
  let tlsHandshakes = Atomic(0)
  let tlsFailures = Atomic(0)
  let connectionsTimedOut = Atomic(0)
  let slowUploads = Atomic(0)
  let slowDownloads = Atomic(0)
  let http1Requests = Atomic(0)
  let http2Requests = Atomic(0)
  let requestsAbandoned = Atomic(0)
  private let requestsRefused = Mutex<[HTTPStatus: Int]>([:])
  let bodyBytesHeld = Atomic(0)
  let bytesReceived = Atomic(0)
  let bytesSent = Atomic(0)

  /// Counts a request under its protocol.
  func countRequest(isHTTP2: Bool) {
    if isHTTP2 {
      http2Requests.add(1, ordering: .relaxed)
    } else {
      http1Requests.add(1, ordering: .relaxed)
    }
  }

  /// Counts a request that is answered without the application.
  func countRefusal(_ status: HTTPStatus) {
    requestsRefused.withLock { $0[status, default: 0] += 1 }
  }

  var snapshot: ServerStatistics {
    ServerStatistics(
      connectionsOpen: connectionsOpen.load(ordering: .relaxed),
      connectionsAccepted: connectionsAccepted.load(ordering: .relaxed),
      connectionsRefused: connectionsRefused.load(ordering: .relaxed),
      connectionsBeyondShare: connectionsBeyondShare.load(ordering: .relaxed),
      proxyHeadersRefused: proxyHeadersRefused.load(ordering: .relaxed),
      acceptPauses: acceptPauses.load(ordering: .relaxed),
      tlsHandshakes: tlsHandshakes.load(ordering: .relaxed),
      tlsFailures: tlsFailures.load(ordering: .relaxed),
      connectionsTimedOut: connectionsTimedOut.load(ordering: .relaxed),
      slowUploads: slowUploads.load(ordering: .relaxed),
      slowDownloads: slowDownloads.load(ordering: .relaxed),
      http1Requests: http1Requests.load(ordering: .relaxed),
      http2Requests: http2Requests.load(ordering: .relaxed),
      requestsAbandoned: requestsAbandoned.load(ordering: .relaxed),
      requestsRefused: requestsRefused.withLock { $0 },
      bodyBytesHeld: bodyBytesHeld.load(ordering: .relaxed),
      bytesReceived: bytesReceived.load(ordering: .relaxed),
      bytesSent: bytesSent.load(ordering: .relaxed))
  }
}
