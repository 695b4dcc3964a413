import HTTPCore
import Inference
import JSON
import Scheduling
import Serving

/// The pages about sessions, and their deletion by clients.
struct SessionPages: Sendable {
  private let models: ModelRegistry
  private let sessions: Sessions
  private let pages: PageQueue

  init(_ parts: ServiceParts) {
    models = parts.models
    sessions = parts.sessions
    pages = parts.pages
  }

  /// Receives the page or the fault, on any thread.
  typealias Completion = @Sendable (Result<HTTPResponse, Fault>) -> Void

  /// `GET /models/NAME/sessions`
  func list(_ call: Call, completion: @escaping Completion) {
    do throws(Fault) {
      let model = try call.grant.models(of: models.snapshot).model(call.path["name"] ?? "")
      let limit = try Self.listLimit(of: call.exchange.request.query)
      // The page may be long, so it is made away from the loop.
      pages.add {
        sessions.listings(of: model.sessionOwner, limit: limit) { result in
          completion(
            result.map { list(of: model, $0) }
              .mapError { Fault(SessionError.refused($0, model: model.name)) })
        }
      }
    } catch {
      completion(.failure(error))
    }
  }

  private func list(
    of model: ServedModel, _ page: SessionTable.Page
  ) -> HTTPResponse {
    var writer = JSONWriter()
    writer.raw(#"{"model":"#)
    writer.string(model.name)
    writer.raw(#","count":"#)
    writer.integer(page.usage.count)
    writer.raw(#","bytes":"#)
    writer.integer(page.usage.byteCount)
    writer.raw(#","sessions":"#)
    writer.array(page.listings) { writer, listing in Self.write(listing, to: &writer) }
    writer.raw("}\n")
    return .json(writer.bytes)
  }

  /// `GET /models/NAME/sessions/ID`: whoever knows an id may ask for it.
  func one(_ call: Call, completion: @escaping Completion) {
    do throws(Fault) {
      let place = try place(of: call)
      sessions.listing(of: place.key, floatCount: place.model.graph.stateFloatCount) { result in
        completion(
          result.map { listing in
            var writer = JSONWriter()
            Self.write(listing, to: &writer)
            writer.raw("\n")
            return .json(writer.bytes)
          }.mapError { fault(for: $0, at: place) })
      }
    } catch {
      completion(.failure(error))
    }
  }

  /// `DELETE /models/NAME/sessions/ID`
  func end(_ call: Call, completion: @escaping Completion) {
    do throws(Fault) {
      let place = try place(of: call)
      sessions.end(place.key, floatCount: place.model.graph.stateFloatCount) { refusal in
        completion(
          refusal.map { .failure(fault(for: $0, at: place)) }
            ?? .success(.json(Array("{\"id\":\"\(place.key.id)\",\"ended\":true}\n".utf8))))
      }
    } catch {
      completion(.failure(error))
    }
  }

  /// The session that a path names.
  private struct Place: Sendable {
    let models: ModelSnapshot
    let model: ServedModel
    let key: SessionTable.Key
  }

  private func place(of call: Call) throws(Fault) -> Place {
    let models = call.grant.models(of: models.snapshot)
    let model = try models.model(call.path["name"] ?? "")
    // The colon is the only reserved character (RFC 3986 §2.2) that an id may hold; clients may escape it.
    let id = (call.path["id"] ?? "").replacing("%3A", with: ":")
    guard SessionUse.isID(id) else {
      throw Fault(
        BodyError.unexpected(path: "the path's session", found: .string(id), expected: .sessionID))
    }
    return Place(
      models: models, model: model, key: SessionTable.Key(model: model.sessionOwner, id: id))
  }

  private func fault(for refusal: SessionRefusal, at place: Place) -> Fault {
    let refusal = sessions.refusal(refusal, of: place.model, among: place.models)
    // Unlike `SessionError.refused`, this does not tell the client how to begin a session.
    if case .unknown(let id) = refusal {
      return Fault(SessionError.noSuchSession(id: id, model: place.model.name))
    }
    return Fault(SessionError.refused(refusal, model: place.model.name))
  }

  /// The `limit` of a query; nothing else is allowed in the query.
  private static func listLimit(of query: String?) throws(Fault) -> Int {
    guard let query else { return ServiceSettings.sessionListLimit }
    let parts = query.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let bounds = ServiceSettings.sessionListLimits
    // `Int(_:)` would accept a sign, too.
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
