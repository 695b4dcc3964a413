/// The Date (RFC 9110 §6.6.1) and Server fields of all responses of one loop. The loop's clock updates the date; the
/// loop's connections share this object and send its fields in place of any that the application sets.
///
/// Used by one thread at a time, like the connections.
package final class ResponseDate {
  /// The Server field (RFC 9110 §10.2.4) and the current Date field, as far as there are such.
  package private(set) var fields: [HTTPFields.Field] = []
  /// Both fields as lines of HTTP/1.
  private(set) var lines: [UInt8] = []
  /// How many times the fields were set.
  package private(set) var version = 0

  private let server: HTTPFields.Field?

  /// - Parameters:
  ///   - value: the Date field's value, as for `update(to:)`.
  ///   - server: the Server field's value; nil for no field.
  package init(_ value: String = "", server: String? = nil) {
    self.server = server.map { HTTPFields.Field(name: Self.serverName, value: $0) }
    update(to: value)
  }

  /// Sets the Date field of later responses to `value`; an empty `value` leaves the field out.
  package func update(to value: String) {
    let date = value.isEmpty ? nil : HTTPFields.Field(name: Self.name, value: value)
    fields = [server, date].compactMap(\.self)
    version += 1
    lines = []
    for field in fields { HTTP1Serializer.append(field, to: &lines) }
  }

  package static let name = "date"
  package static let serverName = "server"
}
