import Glibc
import HTTP2
import HTTPCore

/// Everything about a server that an operator may set.
package struct HTTPServerSettings: Sendable {
  /// `address`: a numeric address or a name; `::` listens on IPv6 and IPv4.
  package var address = "::"
  /// `port`: 0 lets the kernel choose one.
  package var port = 8080
  /// TLS, on `port` or on a port of its own; nil for none.
  package var tls: TLSSettings?
  /// `loops`: the number of event loops, each with its own listeners; nil makes one for each core.
  package var loops: Int?
  /// `max_connections`: the most open connections; a further one gets a 429 and is closed. Fewer if the process may not
  /// open so many descriptors.
  package var maxConnections = 10_000
  /// `max_connections_per_address`: the most open connections of one IPv4 address, or of one /64 of IPv6; 0 for no limit.
  package var maxConnectionsPerAddress = 0
  /// `trusted_proxies` and `forwarded_field`: which proxies are believed when they name a request's client, and in
  /// which field.
  package var trustedProxies = TrustedProxies()
  /// `proxy_protocol`: whether connections from trusted proxies begin with a header of the PROXY protocol.
  package var expectsProxyHeader = false
  /// The paths of health checks, which are answered even when there are no descriptors for further connections.
  package var probePaths: [String] = []
  /// `head_timeout`: from a request head's first byte to its last.
  package var headTimeout = Duration.seconds(10)
  /// `body_timeout`: between two parts of a request's body.
  package var bodyTimeout = Duration.seconds(30)
  /// `idle_timeout`: between two requests.
  package var idleTimeout = Duration.seconds(75)
  /// `write_timeout`: how long the peer may take none of a response that waits for it.
  package var writeTimeout = Duration.seconds(30)
  /// `min_upload_rate`: the least bytes a second of a request's body, on average of each `body_timeout`; 0 for none.
  package var minUploadRate = 240
  /// `min_download_rate`: the least bytes a second that the peer takes of a response that waits for it, on average of
  /// each `write_timeout`; 0 for none.
  package var minDownloadRate = 240
  /// `drain_grace`: once the server stops, how long a connection without a request stays open, in case one is on its
  /// way; and how long nothing may come of a request that has begun.
  package var drainGrace = Duration.milliseconds(200)
  /// What HTTP/1 peers may make the server hold.
  package var http1 = HTTP1Limits()
  /// What HTTP/2 peers may make the server hold.
  package var http2 = HTTP2Limits()
  /// Compression of bodies.
  package var contentCoding = ContentCoding.Settings()

  /// The defaults.
  package init() {}

  /// A copy of these settings in which both protocols have this `maxBodyMemory`, in bytes.
  func with(maxBodyMemory: Int) -> HTTPServerSettings {
    var settings = self
    settings.http1.maxBodyMemory = maxBodyMemory
    settings.http2.maxBodyMemory = maxBodyMemory
    return settings
  }

  /// How many event loops there are.
  var loopCount: Int { max(1, loops ?? sysconf(CInt(_SC_NPROCESSORS_ONLN))) }
}
