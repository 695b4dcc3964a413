import HTTPCore
import Inference
import Scheduling
import Serving
import Testing

@testable import API

@Suite struct CallTests {
  private func call(_ header: String?, path: String = "/predict", body: String = "") -> Call {
    let fields: HTTPFields = header.map { ["carousel-timeout-ms": $0] } ?? [:]
    return Call(
      exchange: HTTPExchange(
        request: HTTPRequest(
          method: "POST", path: path, fields: fields, body: Array(body.utf8)),
        deliver: { _ in }),
      endpoint: Endpoint(label: "/predict"), path: MatchedPath("/predict"))
  }

  /// The shorter of what the head and the body say.
  @Test(
    arguments: [
      (nil, nil, nil), (nil, 7, 7), ("5", nil, 5), ("5", 7, 5), ("7", 5, 5), ("6", 6, 6),
      ("1", nil, 1), ("86400000", nil, 86_400_000), ("007", nil, 7),
    ] as [(String?, Int?, Int?)])
  func theShorterTimeOutCounts(header: String?, body: Int?, expected: Int?) throws {
    let found = try call(header).timeout(body.map { .milliseconds($0) })
    #expect(found == expected.map { .milliseconds($0) })
  }

  @Test(arguments: [
    "0", "86400001", "-1", "+5", "1.5", "1e3", "", " 5", "5 ", "5ms", "٣", "0x10",
    "99999999999999999999",
  ]) func otherTimeOutsAreRefused(header: String) {
    #expect(
      throws: Fault(
        BodyError.unexpected(
          path: "carousel-timeout-ms", found: .string(header), expected: .integer(1...86_400_000)))
    ) { try call(header).timeout(.seconds(1)) }
  }

  @Test(arguments: [
    ("/predict", #"{"inputs":[[1,2]]}"#), ("/models/echo/predict", #"{"inputs":[[1,2]]}"#),
    ("/generate", #"{"prompt":[1],"model":"chain"}"#),
    (
      "/v1/timeseries/forecast",
      #"{"model":"counter","inputs":[{"type":"univariate_time_series","name":"","series":[1],"frequency":"D"}],"options":{"horizon":1}}"#
    ),
  ]) func everyQuestionHasTheHeader(path: String, body: String) async throws {
    let service = try Service.make(
      TestModels.echo(), TestModels.counter(), TestModels.chain())
    func status(_ header: String) async -> (Int, String) {
      let found = await service.generate(
        body, path: path, fields: ["carousel-timeout-ms": header])
      return (found.status, found.body)
    }
    #expect(await status("60000").0 == 200)
    let refused = await status("+5")
    #expect(refused.0 == 400)
    let message =
      #""carousel-timeout-ms: found the string \"+5\", expected a whole number from 1 to 86400000""#
    let error =
      path.hasSuffix("/forecast")
      ? #"{"code":"400","message":\#(message),"param":"carousel-timeout-ms","type":"BadRequestError"}"#
      : message
    #expect(refused.1 == #"{"error":\#(error)}"# + "\n")
  }

  // MARK: - Identity

  private func identity(
    _ body: [UInt8], path: String = "/predict", header: String = "1"
  ) -> UInt64 {
    HTTPRequest(
      method: "POST", path: path, fields: ["carousel-timeout-ms": header], body: body
    ).identity
  }

  /// Who comes back has the same path and body, whatever else its head says.
  @Test(arguments: [0, 1, 5000, 4 << 10, (4 << 10) + 1, 8 << 10, 100_000])
  func theSameRequestIsKnownAgain(size: Int) {
    let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    #expect(identity(body) == identity(body))
    #expect(identity(body) == identity(body, header: "2"))
    #expect(identity(body) != identity(body, path: "/generate"))
    #expect(identity(body) != identity(body + [0]))
    guard size > 0 else { return }
    // Either end of it counts, and all of one that is no longer than both.
    for index in [0, size / 2, size - 1] where size <= 8 << 10 || index != size / 2 {
      var other = body
      other[index] ^= 1
      #expect(identity(body) != identity(other))
    }
  }
}
