import Glibc
import HTTP2
import HTTPCore

/// Everything about a server that an operator may set.
package struct HTTPServerSettings: Sendable {
  /// `address`: a numeric address or a name; `::` listens on IPv6 and IPv4.
  package var address = "::"
  /// `port`: 0 lets the kernel choose one.
  package var port = 8080
  /// TLS, on `port` or on another; nil: none.
  package var tls: TLSSettings?
  /// `loops`: event loops, each with its own listener; nil makes one a core.
  package var loops: Int?
  /// `max_connections`: the next one gets a 429 and is closed. Fewer where the process may not have so many descriptors.
  package var maxConnections = 10_000
  /// `max_connections_per_address`: of an IPv4 address, or of a /64 of IPv6; 0: as many as there may be.
  package var maxConnectionsPerAddress = 0
  /// `trusted_proxies` and `forwarded_field`: who is believed that a request is another's, and where it says so.
  package var trustedProxies = TrustedProxies()
  /// `proxy_protocol`: whether connections from trusted proxies begin with a header of the PROXY protocol.
  package var expectsProxyHeader = false
  /// Paths of health checks: answered even where descriptors admit no further connection.
  package var probePaths: [String] = []
  /// `head_timeout`: from a request head's first byte to its last.
  package var headTimeout = Duration.seconds(10)
  /// `body_timeout`: between two parts of a request's body.
  package var bodyTimeout = Duration.seconds(30)
  /// `idle_timeout`: between two requests.
  package var idleTimeout = Duration.seconds(75)
  /// `write_timeout`: while the peer takes none of a response.
  package var writeTimeout = Duration.seconds(30)
  /// `min_upload_rate`: bytes a second that come of a request's body, on average of each `body_timeout`; 0: none.
  package var minUploadRate = 240
  /// `min_download_rate`: bytes a second that the peer takes of a response which waits for it, on average of each
  /// `write_timeout`; 0: none.
  package var minDownloadRate = 240
  /// `drain_grace`: how long a connection without a request stays open once the server stops, as one
  /// may be on its way; and how long nothing may come of a request that has begun.
  package var drainGrace = Duration.milliseconds(200)
  /// What HTTP/1 peers may make us hold.
  package var http1 = HTTP1Limits()
  /// What HTTP/2 peers may make us hold.
  package var http2 = HTTP2Limits()
  /// Compression of bodies.
  package var contentCoding = ContentCoding.Settings()

  /// The defaults.
  package init() {}

  /// These settings, for a server whose bodies may take so much memory.
  func with(maxBodyMemory: Int) -> HTTPServerSettings {
    var settings = self
    settings.http1.maxBodyMemory = maxBodyMemory
    settings.http2.maxBodyMemory = maxBodyMemory
    return settings
  }

  /// How many event loops there are.
  var loopCount: Int { max(1, loops ?? sysconf(CInt(_SC_NPROCESSORS_ONLN))) }
}
