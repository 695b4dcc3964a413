import API
import HTTPServer
import Scheduling

/// Everything that the modules may be told, by which settings say where they go.
struct ModuleSettings: Sendable {
  var engine = EngineLimits()
  var service = ServiceSettings()
  var server = HTTPServerSettings()

  /// What the modules do by themselves.
  static let standard = ModuleSettings()
}
