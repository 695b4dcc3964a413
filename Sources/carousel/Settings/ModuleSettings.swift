import API
import HTTPServer
import Scheduling

/// The settings of all modules; a `Setting` has key paths into this.
struct ModuleSettings: Sendable {
  var engine = EngineLimits()
  var service = ServiceSettings()
  var server = HTTPServerSettings()

  /// The modules' own defaults.
  static let standard = ModuleSettings()
}
