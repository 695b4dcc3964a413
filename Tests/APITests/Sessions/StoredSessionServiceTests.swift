import Glibc
import HTTPCore
import Inference
import ModelFormat
import Scheduling
import SessionStores
import Synchronization
import TestSupport
import Testing

@testable import API

/// Sessions in a file, through the service.
@Suite struct StoredSessionServiceTests {
  private static let key = "sixteen bytes or"

  /// A folder for a file of sessions.
  private final class Place: Sendable {
    private let folder = TemporaryFolder()
    var path: String { folder.path + "/sessions.db" }

    func service(
      _ durability: SessionDurability = .answer, sessionBytes: Int = 1 << 20
    ) throws -> Service {
      var settings = ServiceSettings()
      settings.sessions = SessionLimits(maxBytes: sessionBytes)
      settings.operatorKey = Array(StoredSessionServiceTests.key.utf8)
      return try Service.make(
        SmallModels.forecaster(.streamable, cell: .lstm), settings: settings,
        sessionStore: FileSessionStore(path: path, durability: durability))
    }
  }

  private func end(_ service: Service) async -> Bool {
    await withCheckedContinuation { continuation in
      service.endSessions { continuation.resume(returning: $0) }
    }
  }

  private func ask(_ service: Service, _ inputs: String, _ session: String? = nil) async -> (
    status: Int, body: String
  ) {
    let member = session.map { #","session":\#($0)"# } ?? ""
    return await service.predict(#"{"inputs":\#(inputs)\#(member)}"#)
  }

  /// A step in each of many processes gives what one process would: to the bit, as written.
  @Test(arguments: SessionDurability.allCases)
  func processesGoOnWithEachOther(durability: SessionDurability) async throws {
    let place = Place()
    var last = (status: 0, body: "")
    let steps = ["1", "2", "3", "-4", "5"]
    for (index, step) in steps.enumerated() {
      let service = try place.service(durability)
      let session = index == 0 ? #"{"id":"s","begin":true}"# : #"{"id":"s","at":\#(index)}"#
      last = await ask(service, "[\(step)]", session)
      try #require(last.status == 200, "\(last.body)")
      let late = await ask(service, "[9]", #"{"id":"s","at":\#(index + 7)}"#)
      #expect(late.status == 409)
      #expect(await end(service))
    }
    let service = try place.service()
    let whole = await ask(service, "[\(steps.joined(separator: ","))]")
    #expect(last.body == whole.body.dropLast(2) + #","session":{"id":"s","steps":5}}"# + "\n")
    let ended = await ask(service, "[6]", #"{"id":"s","end":true}"#)
    #expect(ended.status == 200)
    #expect(await end(service))
    let next = try place.service()
    let gone = await ask(next, "[1]", #""s""#)
    #expect(gone.status == 410)
    #expect(gone.body.contains(#"a request ended it"#))
    #expect(await end(next))
  }

  /// Memory for two of them: the others are fetched whenever they are asked for.
  @Test func moreThanMemoryHolds() async throws {
    let place = Place()
    let service = try place.service(sessionBytes: 900)
    for step in 1...4 {
      for id in 1...8 {
        let session = step == 1 ? #"{"id":"\#(id)","begin":true}"# : #""\#(id)""#
        let answer = await ask(service, "[\(id)]", session)
        #expect(answer.status == 200, "\(answer.body)")
        #expect(answer.body.contains(#""steps":\#(step)}"#))
      }
    }
    let list = await withCheckedContinuation { continuation in
      service.handle(
        HTTPExchange(
          request: HTTPRequest(
            method: "GET", path: "/models/\(service.modelName)/sessions",
            fields: ["authorization": "Bearer \(Self.key)"], body: []),
          deliver: { continuation.resume(returning: String(decoding: $0.body, as: UTF8.self)) }))
    }
    #expect(list.contains(#""count":8"#))
    for id in 1...8 { #expect(list.contains(#"{"id":"\#(id)","steps":4,"#)) }
    let path = "/models/\(service.modelName)/sessions/1"
    #expect(await service.answer("GET", path).body.hasPrefix(#"{"id":"1","steps":4,"#))
    #expect(await service.answer("DELETE", path).body == #"{"id":"1","ended":true}"# + "\n")
    #expect(await service.answer("GET", path).status == 410)
    #expect(await service.answer("DELETE", path).status == 410)
    #expect(
      await service.answer("GET", "/models/\(service.modelName)/sessions/none").status == 404)
    let metrics = await service.answer("GET", "/metrics").body
    #expect(metrics.contains("carousel_session_store_up 1\n"))
    #expect(metrics.contains("carousel_session_store_moves_total 33\n"))
    #expect(metrics.contains(#"carousel_sessions{model="\#(service.modelName)"} 7"#))
    #expect(await end(service))
  }

  /// Where the file is out of reach, its sessions are, and nothing else; then all goes on where it was.
  @Test func aStoreThatFails() async throws {
    let place = Place()
    let service = try place.service()
    #expect(await ask(service, "[1]", #"{"id":"s","begin":true}"#).status == 200)
    #expect(rename(place.path, place.path + ".away") == 0)
    let refused = await service.answer(
      "POST", "/predict", #"{"inputs":[2],"session":{"id":"s","at":1}}"#)
    #expect(refused.status == 503)
    #expect(refused.fields["retry-after"] == "1")
    #expect(refused.body.contains("the session store fails ("))
    #expect(await ask(service, "[2]", #"{"id":"t","begin":true}"#).status == 503)
    #expect(await ask(service, "[1,2]").status == 200)
    #expect(rename(place.path + ".away", place.path) == 0)
    let answer = await ask(service, "[2]", #"{"id":"s","at":1}"#)
    #expect(answer.body.contains(#""steps":2}"#))
    #expect(await end(service))
  }

  @Test func afterTheEnd() async throws {
    let place = Place()
    let service = try place.service()
    #expect(await ask(service, "[1]", #"{"id":"s","begin":true}"#).status == 200)
    #expect(await end(service))
    let refused = await service.answer("POST", "/predict", #"{"inputs":[2],"session":"s"}"#)
    #expect(refused.status == 503)
    #expect(refused.fields["retry-after"] == "1")
    #expect(await ask(service, "[1,2]").status == 200)
  }
}

extension Service {
  fileprivate var modelName: String { parts.models.snapshot.models[0].name }
}
