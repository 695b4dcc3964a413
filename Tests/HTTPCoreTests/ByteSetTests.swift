import Testing

@testable import HTTPCore

@Suite struct ByteSetTests {
  private static let alphanumeric =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

  @Test func setsAreThoseOfTheGrammar() {
    let visible = String(decoding: (0x21...0x7E).map { UInt8($0) }, as: UTF8.self)
    let sets: [(ByteSet, String)] = [
      (.token, Self.alphanumeric + "!#$%&'*+-.^_`|~"),
      (.target, visible.filter { !"\"#<>\\^`{|}".contains($0) }),
      (.name, Self.alphanumeric + "-._~!$&'()*+,;="),
    ]
    for (set, text) in sets {
      for byte in UInt8.min...UInt8.max {
        #expect(set.contains(byte) == text.utf8.contains(byte), "byte \(byte)")
      }
    }
  }
}

@Suite struct FieldNamesTests {
  @Test(arguments: [
    "Host", "ACCEPT", "expect", "Cookie", "pragma", "origin", "referer", "connection", "User-Agent",
    "traceparent", "content-type", "authorization", "cache-control", "Content-Length",
    "accept-encoding", "Accept-Language", "x-forwarded-for", "content-encoding",
    "transfer-encoding", "x-forwarded-proto", "upgrade-insecure-requests",
    "Inference-Header-Content-Length", "Hxxt", "a", "Q", "accept-encodinG", "X-Whatever-It-May-Be",
  ])
  func lowercases(_ name: String) {
    #expect(FieldNames.lowercased(name.utf8.span) == name.lowercased())
  }
}
