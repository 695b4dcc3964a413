import HTTPCore
import Inference
import JSON
import Scheduling
import Serving

/// The pages about sessions, and the end of a session by its client.
struct SessionPages: Sendable {
  private let models: ModelRegistry
  private let sessions: Sessions

  init(_ parts: ServiceParts) {
    models = parts.models
    sessions = parts.sessions
  }

  /// `GET /models/NAME/sessions`
  func list(_ call: Call) throws(Fault) -> HTTPResponse {
    let model = try call.grant.models(of: models.snapshot).model(call.path["name"] ?? "")
    let limit = try Self.listLimit(of: call.exchange.request.query)
    let (listings, usage) = sessions.withTable { table in
      (
        table.listings(of: model.sessionOwner, limit: limit, now: .now),
        table.usage[model.sessionOwner] ?? SessionTable.Usage()
      )
    }
    var writer = JSONWriter()
    writer.raw(#"{"model":"#)
    writer.string(model.name)
    writer.raw(#","count":"#)
    writer.integer(usage.count)
    writer.raw(#","bytes":"#)
    writer.integer(usage.byteCount)
    writer.raw(#","sessions":"#)
    writer.array(listings) { writer, listing in Self.write(listing, to: &writer) }
    writer.raw("}\n")
    return .json(writer.bytes)
  }

  /// `GET /models/NAME/sessions/ID`: whoever knows an id may ask for it.
  func one(_ call: Call) throws(Fault) -> HTTPResponse {
    let (_, listing) = try table(call) { (table, key) throws(SessionRefusal) in
      try table.listing(of: key, now: .now)
    }
    var writer = JSONWriter()
    Self.write(listing, to: &writer)
    writer.raw("\n")
    return .json(writer.bytes)
  }

  /// `DELETE /models/NAME/sessions/ID`
  func end(_ call: Call) throws(Fault) -> HTTPResponse {
    let (id, _) = try table(call) { (table, key) throws(SessionRefusal) in
      try table.end(key, now: .now)
    }
    return .json(Array("{\"id\":\"\(id)\",\"ended\":true}\n".utf8))
  }

  /// Does to the table what the session of the path is asked for; returns its id, too.
  private func table<Value: Sendable>(
    _ call: Call,
    _ body: (inout SessionTable, SessionTable.Key) throws(SessionRefusal) -> sending Value
  ) throws(Fault) -> (id: String, Value) {
    let models = call.grant.models(of: models.snapshot)
    let model = try models.model(call.path["name"] ?? "")
    // Of all that an id may hold, the colon alone is reserved (RFC 3986 §2.2); clients may encode it.
    let id = (call.path["id"] ?? "").replacing("%3A", with: ":")
    guard SessionUse.isID(id) else {
      throw Fault(
        BodyError.unexpected(path: "the path's session", found: .string(id), expected: .sessionID))
    }
    let key = SessionTable.Key(model: model.sessionOwner, id: id)
    do throws(SessionRefusal) {
      return (
        id,
        try sessions.withTable { table throws(SessionRefusal) in try body(&table, key) }
      )
    } catch {
      let refusal = sessions.refusal(error, of: model, among: models)
      // A client that asks for a session's page, or ends it, is not told how to begin one.
      if case .unknown = refusal {
        throw Fault(SessionError.noSuchSession(id: id, model: model.name))
      }
      throw Fault(SessionError.refused(refusal, model: model.name))
    }
  }

  /// The `limit` of a query, which is all that it may hold.
  private static func listLimit(of query: String?) throws(Fault) -> Int {
    guard let query else { return ServiceSettings.sessionListLimit }
    let parts = query.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let bounds = ServiceSettings.sessionListLimits
    // `Int` takes a sign, too.
    guard parts.first == "limit", parts.count == 2, parts[1].first != "+",
      let limit = Int(parts[1]), bounds.contains(limit)
    else {
      throw Fault(
        RouteError.query(
          name: "limit", found: parts.first == "limit" ? String(parts.last ?? "") : query,
          expected: .integer(UInt64(bounds.lowerBound)...UInt64(bounds.upperBound))))
    }
    return limit
  }

  private static func write(_ listing: SessionTable.Listing, to writer: inout JSONWriter) {
    writer.raw(#"{"id":"#)
    writer.string(listing.id)
    writer.raw(#","steps":"#)
    writer.integer(listing.steps)
    writer.raw(#","age_seconds":"#)
    writer.integer(listing.age.components.seconds)
    writer.raw(#","idle_seconds":"#)
    writer.integer(listing.idle.components.seconds)
    writer.byte("}")
  }
}
