import JSON
import Testing

@testable import API

/// The pages of `Service+Models.swift` and `Service+Metrics.swift`.
@Suite struct PageTests {
  @Test func indexListsEndpoints() async throws {
    var settings = ServiceSettings()
    settings.version = "1.2"
    let service = try Service.make(TestModels.echo(), settings: settings)
    let page = await service.answer("GET", "/").body
    #expect(
      page.hasPrefix(#"{"name":"carousel","version":"1.2","default_model":"echo","endpoints":["#))
    #expect(page.contains(#"{"method":"POST","path":"/predict","#))
    #expect(!page.contains("unknown"))
    #expect(throws: Never.self) { try JSONReaderPool().read(Array(page.utf8), maxDepth: 4) }
  }

  @Test func modelsTellTheirInputsAndOutputs() async throws {
    let service = try Service.make(
      TestModels.counter(),
      TestModels.tokens(vocabulary: ["a", "b", "c", "d"], example: #""ab \"c\"""#))
    let counter = await service.answer("GET", "/models/counter").body
    #expect(
      counter.hasPrefix(
        #"{"name":"counter","version":"7","summary":"A \"test\" model","source":null,"licence":"CC0","default":true,"inputs":[{"name":"x","kind":"features","size":1}],"outputs":[{"name":"y","kind":"vector","size":2,"every_step":true,"labels":["next","after"],"forecasts":"x"}],"default_outputs":"last","streamable":true,"forecast_steps":2,"parameters":0,"precision":"f32","packed_bytes":"#
      ))
    let tokens = await service.answer("GET", "/models/tokens").body
    #expect(
      tokens.contains(
        #""default":false,"inputs":[{"name":"t","kind":"tokens","size":4,"text":true,"vocabulary":["a","b","c","d"]}]"#
      ))
    #expect(tokens.hasSuffix(#","example":"ab \"c\""}"# + "\n"))
    #expect(!counter.contains("example"))
    #expect(
      tokens.contains(
        #""outputs":[{"name":"y","kind":"features","size":1,"every_step":true}],"default_outputs":"all""#
      ))
    #expect(tokens.contains(#""parameters":4,"#))
    let all = await service.answer("GET", "/models").body
    let listed = tokens.replacing(#","vocabulary":["a","b","c","d"]"#, with: "")
      .replacing(#","example":"ab \"c\"""#, with: "")
    #expect(all == #"{"models":[\#(counter.dropLast()),\#(listed.dropLast())]}"# + "\n")
    #expect(await service.answer("GET", "/models/nope").status == 404)
  }

  @Test func metricsCountWhatHappened() async throws {
    let service = try Service.make(TestModels.counter())
    for _ in 0..<3 { _ = await service.predict(#"{"inputs":[[1,2],[3]]}"#) }
    _ = await service.predict("{}")
    _ = await service.answer("GET", "/nothing")
    let samples = try Samples(await service.answer("GET", "/metrics").body)
    #expect(samples[#"carousel_requests_total{endpoint="/predict",status="200"}"#] == 3)
    #expect(samples[#"carousel_requests_total{endpoint="/predict",status="400"}"#] == 1)
    #expect(samples[#"carousel_requests_total{endpoint="unknown",status="404"}"#] == 1)
    #expect(samples[#"carousel_request_duration_seconds_count{endpoint="/predict"}"#] == 4)
    #expect(samples[#"carousel_sequences_total{model="counter"}"#] == 6)
    #expect(samples[#"carousel_steps_total{model="counter"}"#] == 9)
    #expect(samples[#"carousel_waiting_seconds_count{model="counter"}"#] == 6)
    #expect(samples[#"carousel_refused_total{model="counter",reason="queue_full"}"#] == 0)
    #expect(try #require(samples["process_resident_memory_bytes"]) > 1e6)
    #expect(try #require(samples["process_start_time_seconds"]) > 1.7e9)
    #expect(samples["carousel_connections"] == nil)
  }

  @Test func connectionsComeFromTheServer() async throws {
    let service = Service(
      engines: [],
      connections: {
        ConnectionStatistics(
          open: 3, limit: 9, accepted: 20, refused: 4, beyondShare: 2, proxyHeadersRefused: 3,
          tlsHandshakes: 8, tlsFailures: 1,
          slowUploads: 6, slowDownloads: 7,
          requestsRefused: [.notImplemented: 2, .requestHeaderFieldsTooLarge: 5])
      })
    let samples = try Samples(await service.answer("GET", "/metrics").body)
    #expect(samples["carousel_connections"] == 3)
    #expect(samples["carousel_connections_limit"] == 9)
    #expect(samples["carousel_connections_accepted_total"] == 20)
    #expect(samples["carousel_connections_refused_total"] == 4)
    #expect(samples["carousel_connections_beyond_share_total"] == 2)
    #expect(samples["carousel_proxy_headers_refused_total"] == 3)
    #expect(samples[#"carousel_slow_transfers_total{direction="upload"}"#] == 6)
    #expect(samples[#"carousel_slow_transfers_total{direction="download"}"#] == 7)
    #expect(samples[#"carousel_tls_handshakes_total{outcome="done"}"#] == 8)
    #expect(samples[#"carousel_tls_handshakes_total{outcome="failed"}"#] == 1)
    #expect(samples[#"carousel_http_refused_total{reason="not_implemented"}"#] == 2)
    #expect(
      samples[#"carousel_http_refused_total{reason="request_header_fields_too_large"}"#] == 5)
  }
}

/// The samples of a page in Prometheus' text format, checked: each family has HELP, then TYPE, then its samples
/// and nobody else's; buckets ascend to +Inf, which is the count.
private struct Samples {
  private var values: [String: Double] = [:]

  subscript(name: String) -> Double? { values[name] }

  init(_ page: String) throws {
    try #require(page.hasSuffix("\n"))
    var family = ""
    var described = ""
    var seen: Set<String> = []
    var bucket: Double = 0
    for line in page.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
      let words = line.split(separator: " ")
      if line.hasPrefix("# HELP ") {
        described = String(words[2])
        #expect(seen.insert(described).inserted)
      } else if line.hasPrefix("# TYPE ") {
        family = String(words[2])
        #expect(family == described)
        #expect(["counter", "gauge", "histogram"].contains(words[3]))
      } else {
        let end = try #require(line.lastIndex(of: " "))
        let name = String(line[..<end])
        let text = line[line.index(after: end)...]
        let value = try #require(Double(text))
        #expect(values.updateValue(value, forKey: name) == nil)
        let base = name.prefix { $0 != "{" }
        #expect(
          base == family || ["_bucket", "_sum", "_count"].contains { base == family + $0 })
        if base.hasSuffix("_bucket") {
          #expect(value >= bucket)
          bucket = value
        } else if base.hasSuffix("_count") {
          #expect(value == bucket)
          bucket = 0
        }
      }
    }
    #expect(!seen.isEmpty)
  }
}
