/// The Date field of all responses of a loop (RFC 9110 §6.6.1): its clock keeps it current, its connections share it and
/// send it in place of any that the application gives. So they do the Server field.
///
/// Belongs to one thread at a time, as the connections do.
package final class ResponseDate {
  /// The field as it is now; nil where the time is not known.
  package private(set) var field: HTTPFields.Field?

  /// The Server field (RFC 9110 §10.2.4); nil for none.
  package let server: HTTPFields.Field?

  /// - Parameters:
  ///   - value: as `update(to:)` takes it.
  ///   - server: what the server calls itself.
  package init(_ value: String = "", server: String? = nil) {
    self.server = server.map { HTTPFields.Field(name: Self.serverName, value: $0) }
    update(to: value)
  }

  /// Has responses dated `value` from now on; not at all where it is empty.
  package func update(to value: String) {
    field = value.isEmpty ? nil : HTTPFields.Field(name: Self.name, value: value)
  }

  package static let name = "date"
  package static let serverName = "server"
}
