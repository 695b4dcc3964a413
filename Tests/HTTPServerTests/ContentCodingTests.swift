import Compression
import HTTPCore
import TestSupport
import Testing

@testable import HTTPServer

@Suite struct ContentCodingTests {
  static let text = Array(String(repeating: "[0.125, 0.25], ", count: 200).utf8)

  private func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
    try #require(try gzipped(bytes.span, level: 6))
  }

  private func posted(_ coding: String, _ body: [UInt8]) -> HTTPRequest {
    HTTPRequest(
      method: "POST", path: "/",
      fields: ["content-encoding": coding, "content-length": String(body.count)], body: body)
  }

  private func answer(
    _ body: [UInt8], status: HTTPStatus = .ok, type: String? = "application/json"
  ) -> HTTPResponse {
    var response = HTTPResponse(status: status, body: body)
    response.fields["content-type"] = type
    return response
  }

  private func asking(_ coding: String?) -> HTTPRequest {
    var request = HTTPRequest(method: "GET", path: "/")
    request.fields["accept-encoding"] = coding
    return request
  }

  // MARK: decode

  @Test(arguments: ["gzip", "x-gzip", "GZIP", " gzip , identity"])
  func gzipIsUndone(coding: String) throws {
    var request = posted(coding, try gzip(Self.text))
    #expect(ContentCoding().decode(&request) == nil)
    #expect(request.body == Self.text)
    #expect(request.fields == ["content-length": String(Self.text.count)])
  }

  @Test func identityIsNothing() {
    for coding in ["identity", "", ","] {
      var request = posted(coding, [1, 2])
      #expect(ContentCoding().decode(&request) == nil)
      #expect(request.body == [1, 2])
      #expect(request.fields["content-encoding"] == nil)
    }
    var plain = HTTPRequest(method: "POST", path: "/", body: [1])
    #expect(ContentCoding().decode(&plain) == nil)
    #expect(plain == HTTPRequest(method: "POST", path: "/", body: [1]))
  }

  @Test func anEmptyBodyIsNotCoded() {
    var request = posted("gzip", [])
    #expect(ContentCoding().decode(&request) == nil)
    #expect(request.body.isEmpty)
  }

  @Test(arguments: ["br", "gzip, gzip", "deflate,gzip", "a\"b"])
  func otherCodingsAreUnsupported(coding: String) throws {
    var request = posted(coding, try gzip(Self.text))
    let refusal = try #require(ContentCoding().decode(&request))
    #expect(refusal.status == .unsupportedMediaType)
    #expect(refusal.fields["accept-encoding"] == "gzip, deflate")
    #expect(refusal.fields["content-type"] == "application/json")
  }

  @Test func codingsInTwoFieldsAreTwoCodings() throws {
    var request = posted("gzip", try gzip(Self.text))
    request.fields.append("content-encoding", "gzip")
    #expect(ContentCoding().decode(&request)?.status == .unsupportedMediaType)
  }

  @Test func theErrorIsASentence() throws {
    var request = posted("br", [1])
    let refusal = try #require(ContentCoding().decode(&request))
    let body = String(decoding: refusal.body, as: UTF8.self)
    #expect(
      body == "{\"error\":\"content-encoding is br; expected one of gzip, deflate or identity\"}\n")
  }

  @Test func corruptBodiesAreBadRequests() throws {
    let coded = try gzip(Self.text)
    for body in [Array(coded.dropLast()), coded + [0], Array(coded.dropFirst()), Self.text] {
      for coding in ["gzip", "deflate"] {
        var request = posted(coding, body)
        #expect(ContentCoding().decode(&request)?.status == .badRequest)
        #expect(request.body == body)
      }
    }
  }

  @Test(arguments: [(99_999, nil), (100_000, nil), (100_001, 413)])
  func inflatedBytesAreCapped(count: Int, status: Int?) throws {
    var settings = ContentCoding.Settings()
    settings.maxInflatedBytes = 100_000
    settings.maxInflateRatio = 2000
    var request = posted("gzip", try gzip([UInt8](repeating: 0, count: count)))
    #expect(ContentCoding(settings).decode(&request)?.status.code == status)
  }

  /// An attempt that ends early leaves the request as it was, unless the body is too large anywhere.
  @Test(arguments: [99, 100, 101])
  func attemptsEndAtTheirBound(count: Int) throws {
    let coded = posted("gzip", try gzip([UInt8](repeating: 0, count: count)))
    var request = coded
    let result = ContentCoding().decode(&request, within: nil, atMost: 100)
    #expect(result == (count > 100 ? .unfinished : .done))
    #expect(request.body.count == (count > 100 ? coded.body.count : count))
    #expect((request.fields["content-encoding"] == nil) == (count <= 100))
    var settings = ContentCoding.Settings()
    settings.maxInflatedBytes = 98
    var other = coded
    let refusal = ContentCoding(settings).decode(&other, within: nil, atMost: 100)
    guard case .refused(let response) = refusal else {
      Issue.record("\(refusal)")
      return
    }
    #expect(response.status == .contentTooLarge)
  }

  /// JSON that is padded with spaces is no bomb.
  @Test func paddingIsNoBomb() throws {
    let padded = [UInt8](repeating: 0x20, count: InflateLimits.maxUncheckedRatioBytes)
    var request = posted("gzip", try gzip(padded))
    #expect(padded.count > ContentCoding.Settings().maxInflateRatio * request.body.count)
    #expect(ContentCoding().decode(&request) == nil)
    #expect(request.body == padded)
  }

  @Test func bombsAreRefused() throws {
    var request = posted("gzip", try gzip([UInt8](repeating: 0, count: 8 << 20)))
    #expect(ContentCoding().decode(&request)?.status == .contentTooLarge)
  }

  // MARK: encode

  @Test func gzipIsSentToThoseWhoAsk() throws {
    var response = answer(Self.text)
    ContentCoding().encode(&response, for: asking("gzip, deflate"))
    #expect(response.fields["content-encoding"] == "gzip")
    #expect(response.fields["vary"] == "accept-encoding")
    #expect(response.body.count < Self.text.count)
    let limits = InflateLimits(maxBytes: Self.text.count, maxRatio: 2000)
    #expect(try inflated(response.body.span, from: .gzip, limits: limits) == Self.text)
  }

  @Test(arguments: [nil, "br", "identity", "gzip;q=0"])
  func othersGetTheOriginalAndVary(coding: String?) {
    var response = answer(Self.text)
    ContentCoding().encode(&response, for: asking(coding))
    #expect(response.body == Self.text)
    #expect(response.fields["content-encoding"] == nil)
    #expect(response.fields["vary"] == "accept-encoding")
  }

  @Test(arguments: [(1023, false), (1024, true), (1025, true)])
  func smallBodiesAreLeftAlone(count: Int, isCoded: Bool) {
    var response = answer([UInt8](repeating: 0x20, count: count))
    ContentCoding().encode(&response, for: asking("gzip"))
    #expect((response.fields["content-encoding"] == "gzip") == isCoded)
    #expect((response.fields["vary"] != nil) == isCoded)
  }

  @Test func identityRefusedMeansGzipForSmallBodiesToo() throws {
    var response = answer([1])
    ContentCoding().encode(&response, for: asking("gzip, identity;q=0"))
    #expect(response.fields["content-encoding"] == "gzip")
    let limits = InflateLimits(maxBytes: 1, maxRatio: 1)
    #expect(try inflated(response.body.span, from: .gzip, limits: limits) == [1])
  }

  @Test(arguments: [204, 304])
  func someStatusesHaveNothingToCode(code: Int) {
    let original = answer(Self.text, status: HTTPStatus(code))
    var response = original
    ContentCoding().encode(&response, for: asking("gzip"))
    #expect(response == original)
  }

  @Test(arguments: ["image/png", "application/octet-stream", nil])
  func otherTypesAreLeftAlone(type: String?) {
    let original = answer(Self.text, type: type)
    var response = original
    ContentCoding().encode(&response, for: asking("gzip"))
    #expect(response == original)
  }

  @Test(arguments: ["text/plain; version=0.0.4", "Application/JSON", "application/problem+json"])
  func textIsCompressed(type: String) {
    var response = answer(Self.text, type: type)
    ContentCoding().encode(&response, for: asking("gzip"))
    #expect(response.fields["content-encoding"] == "gzip")
  }

  @Test func whatIsCodedStays() {
    var original = answer(Self.text)
    original.fields["content-encoding"] = "br"
    var response = original
    ContentCoding().encode(&response, for: asking("gzip"))
    #expect(response == original)
  }

  @Test func noiseIsSentAsItIs() {
    var random = Noise(seed: 1)
    let noise = (0..<4096).map { _ in UInt8.random(in: 0...255, using: &random) }
    var response = answer(noise)
    ContentCoding().encode(&response, for: asking("gzip"))
    #expect(response.body == noise)
    #expect(response.fields["content-encoding"] == nil)
    #expect(response.fields["vary"] == "accept-encoding")
  }

  @Test(arguments: [
    ("origin", "origin, accept-encoding"), ("Accept-Encoding", "Accept-Encoding"), ("*", "*"),
    ("origin,ACCEPT-ENCODING", "origin,ACCEPT-ENCODING"),
  ])
  func varyIsAddedOnce(present: String, expected: String) {
    var response = answer(Self.text)
    response.fields["vary"] = present
    ContentCoding().encode(&response, for: asking("gzip"))
    #expect(response.fields.values(of: "vary") == [expected])
  }
}
