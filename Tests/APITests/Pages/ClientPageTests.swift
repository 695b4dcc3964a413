import Cryptography
import HTTPCore
import Serving
import TestSupport
import Testing

@testable import API

/// What the server takes a client for.
@Suite struct ClientPageTests {
  private func page(
    _ change: (inout ServiceSettings) -> Void, token: String? = nil, peer: HTTPPeer? = nil
  ) async throws -> (status: Int, body: String) {
    var settings = ServiceSettings()
    change(&settings)
    let service = try Service.make(
      TestModels.echo(size: 1), SmallModels.forecaster(.bidirectional), settings: settings)
    var request = HTTPRequest(method: "GET", path: "/whoami")
    if let token { request.fields.append("authorization", "Bearer \(token)") }
    let response: HTTPResponse = await withCheckedContinuation { continuation in
      let exchange = HTTPExchange(
        request: request,
        connection: .init(.init(number: 1, hasLeft: { false }), peer: peer, isNew: true),
        deliverPart: {
          if case .whole(let response) = $0 { continuation.resume(returning: response) }
        })
      service.handle(exchange)
    }
    return (response.status.code, String(decoding: response.body, as: UTF8.self))
  }

  @Test func anAddress() async throws {
    let address = try #require(PeerAddress("2001:db8::7", port: 80))
    let answer = try await page({ _ in }, peer: HTTPPeer(address: address, name: "CN=me"))
    #expect(answer.status == 200)
    #expect(
      answer.body
        == #"{"address":"2001:db8::7","certificate":"CN=me","token":null,"scopes":null,"models":["echo","small"],"rate_limit":null,"rate_burst":null,"concurrency_limit":null}"#
        + "\n")
  }

  @Test func aToken() async throws {
    let text = Array("secret".utf8)
    let token = AccessToken(
      name: "alice", digest: Digest.hash(text.span), scopes: [.predict, .operate],
      models: ["small"], limits: .init(rate: 2.5))
    let change: (inout ServiceSettings) -> Void = {
      $0.tokens = TokenTable([token])
      $0.clients = RequestLimits(rate: 1, burst: 9, concurrency: 4)
    }
    let answer = try await page(change, token: "secret")
    #expect(
      answer.body
        == #"{"address":null,"certificate":null,"token":"alice","scopes":["operate","predict"],"models":["small"],"rate_limit":2.5,"rate_burst":3,"concurrency_limit":4}"#
        + "\n")
    #expect(try await page(change).status == 401)
  }
}
