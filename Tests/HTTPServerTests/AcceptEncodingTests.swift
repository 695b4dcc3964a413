import HTTPCore
import Testing

@testable import HTTPServer

@Suite struct AcceptEncodingTests {
  @Test(
    arguments: [
      ("", .identity), ("gzip", .gzip), ("x-gzip", .gzip), ("GZip", .gzip), ("*", .gzip),
      ("deflate, br", .identity), ("gzip, deflate, br", .gzip), ("identity", .identity),
      ("gzip;q=0", .identity), ("gzip;q=0, *", .identity), ("*;q=0", .identity),
      ("gzip;q=0.001", .gzip), ("gzip;q=0.5, identity;q=0.9", .identity),
      ("gzip;q=0.9, identity;q=0.5", .gzip), ("identity, *;q=0.1", .identity),
      ("identity;q=0", .identity), ("identity;q=0, gzip", .onlyGzip), ("gzip, *;q=0", .onlyGzip),
      ("*;q=0, gzip;q=0.1, identity;q=0.2", .identity), ("identity;q=0, *", .onlyGzip),
      ("gzip ; Q=1.000 , ", .gzip), ("\tgzip\t;\tq=0.000", .identity),
      // Malformed members are left out.
      ("gzip;q=2", .identity), ("gzip;q=1.001", .identity), ("gzip;q=0.1234", .identity),
      ("gzip;q=-1", .identity), ("gzip;q=", .identity), ("gzip;level=1", .identity),
      ("gzip;q=1;q=1", .identity), ("gzip;q=0,5", .identity), (",,;,gzip", .gzip),
      ("gzip;q=0.x", .identity), ("gzip;q=1x", .identity),
    ] as [(String, AcceptEncoding.Choice)])
  func choice(value: String, expected: AcceptEncoding.Choice) {
    #expect(AcceptEncoding(["accept-encoding": value]).choice == expected)
  }

  @Test func noFieldIsNoWish() {
    #expect(AcceptEncoding(HTTPFields()).choice == .identity)
  }

  @Test func fieldsAddUp() {
    let fields: HTTPFields = ["accept-encoding": "br", "Accept-Encoding": "gzip"]
    #expect(AcceptEncoding(fields).choice == .gzip)
  }
}
