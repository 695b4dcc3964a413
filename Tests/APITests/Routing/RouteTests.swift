import HTTPCore
import Testing

@testable import API
@testable import Serving

/// A row is all that an endpoint needs: matching, methods, lists, counters and the answer follow from it.
@Suite struct RouteTests {
  private func service(_ routes: [Route]) throws -> Service {
    let parts = try Service.make(TestModels.echo()).parts
    return Service(parts) { RouteTable(parts: $0).rows + routes }
  }

  private static let greeting = Route(
    "GET", "/greetings/{who}", "a greeting", access: .open, isHealthCheck: true,
    .page(.onLoop) { call throws(Fault) in
      guard let who = call.path["who"], who != "nobody" else {
        throw Fault(ModelChoiceError.noModels)
      }
      return .json(Array(who.utf8))
    })

  @Test func aRowIsAnEndpoint() async throws {
    let service = try service([
      Self.greeting,
      Route(
        "POST", "/greetings/{who}", nil, access: .predict, .question { $0.answer(.json([0x31])) }),
    ])
    let found = await service.answer("GET", "/greetings/you/")
    #expect(found.status == 200 && found.body == "you")
    #expect(await service.answer("HEAD", "/greetings/me").body == "me")
    #expect(await service.answer("POST", "/greetings/x").body == "1")
    #expect(await service.answer("GET", "/greetings/nobody").status == 404)
    #expect(await service.answer("GET", "/greetings/").status == 404)
    #expect(await service.answer("GET", "/greetings/a/b").status == 404)
    let refused = await service.answer("DELETE", "/greetings/you")
    #expect(refused.status == 405 && refused.fields["allow"] == "GET, HEAD, POST, OPTIONS")
    let options = await service.answer("OPTIONS", "/greetings/you")
    #expect(options.status == 200 && options.fields["allow"] == "GET, HEAD, POST, OPTIONS")
    #expect(
      service.requests(of: "/greetings/{who}").map { "\($0.status) \($0.count)" }
        == ["200 4", "404 1", "405 1"])
    let metrics = await service.answer("GET", "/metrics").body
    #expect(
      metrics.contains(#"carousel_requests_total{endpoint="/greetings/{who}",status="200"} 4"#))
    #expect(service.probePaths == ["/livez", "/readyz", "/healthz", "/greetings/{who}"])
  }

  /// Errors are written as the row says, those of the path itself too.
  @Test func errorsAreWrittenAsTheRowSays() async throws {
    let service = try service([
      Route(
        "POST", "/own", "errors of its own", access: .predict,
        errors: { HTTPResponse(status: $0.response.status, body: [0x21]) },
        .question { $0.refuse(Fault(ModelChoiceError.noModels)) })
    ])
    #expect(await service.answer("POST", "/own").body == "!")
    let refused = await service.answer("GET", "/own")
    #expect(refused.status == 405 && refused.body == "!")
  }
}
