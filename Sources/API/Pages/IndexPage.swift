import HTTPCore
import JSON
import Serving

/// The list of all routes.
struct IndexPage: Sendable {
  private let version: String
  private let models: ModelRegistry
  /// The list of routes, as JSON text.
  private let endpoints: [UInt8]

  /// `GET /`: lists itself and then `routes`.
  static func route(listing routes: [Route], of parts: ServiceParts) -> Route {
    let summary = "this list"
    var entries = [(method: "GET", path: "/" as PathPattern, summary: summary)]
    for route in routes {
      if let summary = route.summary { entries.append((route.method, route.path, summary)) }
    }
    var writer = JSONWriter()
    writer.array(entries) { writer, entry in
      writer.raw(#"{"method":"#)
      writer.string(entry.method)
      writer.raw(#","path":"#)
      writer.string(entry.path.text)
      writer.raw(#","summary":"#)
      writer.string(entry.summary)
      writer.byte("}")
    }
    let page = IndexPage(
      version: parts.settings.version, models: parts.models, endpoints: writer.bytes)
    return Route(
      "GET", "/", summary, access: .open, .page(.onLoop) { _ in page.response })
  }

  private var response: HTTPResponse {
    var writer = JSONWriter()
    writer.raw(#"{"name":"carousel","version":"#)
    writer.string(version)
    writer.raw(#","default_model":"#)
    writer.optional(models.snapshot.defaultModelName)
    writer.raw(#","endpoints":"#)
    writer.raw(endpoints)
    writer.raw("}\n")
    return .json(writer.bytes)
  }
}
