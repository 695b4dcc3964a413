import HTTPCore
import JSON
import Serving

/// The page that tells a client its address, certificate, token and limits, as the server sees them.
struct ClientPage: Sendable {
  private let limits: RequestLimits
  private let models: ModelRegistry

  init(_ parts: ServiceParts) {
    limits = parts.settings.clients
    models = parts.models
  }

  /// `GET /whoami`
  func response(to call: Call) -> HTTPResponse {
    let (grant, peer) = (call.grant, call.exchange.connection?.peer)
    var writer = JSONWriter()
    writer.raw(#"{"address":"#)
    writer.optional(peer.map { "\($0.address)" })
    writer.raw(#","certificate":"#)
    writer.optional(peer?.name)
    writer.raw(#","token":"#)
    writer.optional(grant.tokenName)
    writer.raw(#","scopes":"#)
    if let scopes = grant.scopes {
      writer.array(scopes.map(\.rawValue).sorted()) { writer, scope in writer.string(scope) }
    } else {
      writer.raw("null")
    }
    writer.raw(#","models":"#)
    let names = models.snapshot.models.map(\.name).filter { grant.models?.contains($0) ?? true }
    writer.array(names) { writer, name in writer.string(name) }
    write(grant.limits.map { limits.with($0) } ?? limits, to: &writer)
    writer.raw("}\n")
    return .json(writer.bytes)
  }

  /// Writes the limits; null means unlimited.
  private func write(_ limits: RequestLimits, to writer: inout JSONWriter) {
    let hasRate = limits.rate > 0
    let members = [
      ("rate_limit", hasRate ? limits.rate.plainText : "null"),
      ("rate_burst", hasRate ? "\(limits.effectiveBurst)" : "null"),
      ("concurrency_limit", limits.concurrency > 0 ? "\(limits.concurrency)" : "null"),
    ]
    for (name, value) in members { writer.raw(Array(",\"\(name)\":\(value)".utf8)) }
  }
}
