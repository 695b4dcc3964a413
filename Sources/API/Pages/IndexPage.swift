import HTTPCore
import JSON

/// The list of what can be asked.
struct IndexPage: Sendable {
  private let version: String
  private let defaultModel: String?

  init(_ parts: ServiceParts) {
    version = parts.settings.version
    defaultModel = parts.models.defaultModel?.name
  }

  /// `GET /`
  func response(of routes: [Route]) -> HTTPResponse {
    var writer = JSONWriter()
    writer.raw(#"{"name":"carousel","version":"#)
    writer.string(version)
    writer.raw(#","default_model":"#)
    writer.optional(defaultModel)
    writer.raw(#","endpoints":"#)
    writer.array(routes.filter { $0.summary != nil }) { writer, route in
      writer.raw(#"{"method":"#)
      writer.string(route.method)
      writer.raw(#","path":"#)
      writer.string(route.path.text)
      writer.raw(#","summary":"#)
      writer.string(route.summary ?? "")
      writer.byte("}")
    }
    writer.raw("}\n")
    return .json(writer.bytes)
  }
}
