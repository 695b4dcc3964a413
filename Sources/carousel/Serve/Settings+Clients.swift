import API
import HTTPCore

extension Settings {
  /// The trusted proxies.
  ///
  /// - Throws: if another setting needs trusted proxies and there are none.
  func trustedProxies() throws(CarouselError) -> TrustedProxies {
    let blocks = SettingText.elements(of: text(.trustedProxies)).compactMap { NetworkBlock($0) }
    guard let field = TrustedProxies.Field(rawValue: text(.forwardedField)) else {
      preconditionFailure("the table admits no other")
    }
    for setting in [Setting.proxyProtocol, .forwardedField] where blocks.isEmpty {
      let entry = entry(of: setting)
      guard text(setting) == setting.defaultText else {
        throw .badSetting(
          name: entry.source.name(of: setting), source: entry.source, found: text(setting),
          expected: "\(setting.defaultText) without trusted_proxies")
      }
    }
    return TrustedProxies(blocks, field: field)
  }

  /// Whether trusted proxies begin their connections with a header of the PROXY protocol.
  var expectsProxyHeader: Bool { text(.proxyProtocol) == "v2" }

  /// The origins of web pages that may read answers (CORS).
  var origins: CrossOrigins {
    let elements = SettingText.elements(of: text(.corsOrigins))
    if elements.isEmpty { return .none }
    return elements == ["*"] ? .all : .some(Set(elements.compactMap { WebOrigin($0) }))
  }
}
