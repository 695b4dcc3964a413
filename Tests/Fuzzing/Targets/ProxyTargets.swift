import HTTPCore

extension FuzzTarget {
  /// What a proxy sends before a connection's bytes (PROXY protocol, version 2).
  static let proxyHeader = FuzzTarget(name: "proxy-header") {
    let signature: [UInt8] = [
      0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]
    return [
      signature + [0x21, 0x11, 0, 12, 10, 0, 0, 1, 10, 0, 0, 2, 0x1F, 0x90, 0, 80],
      signature + [0x21, 0x21, 0, 41] + Array(repeating: 1, count: 36) + [0x20, 0, 2, 1, 2],
      signature + [0x20, 0, 0, 0],
    ]
  } run: { bytes in
    var header = ProxyHeader()
    var rest = bytes[...]
    while !header.isComplete, !rest.isEmpty {
      let count = min(header.neededCount, rest.count)
      precondition(count > 0, "a header that needs nothing and isn't complete")
      let piece = Array(rest.prefix(count))
      guard (try? header.receive(piece.span)) != nil else { return }
      rest = rest.dropFirst(count)
    }
  }

  /// The fields in which proxies say whom they speak for: a line of each.
  static let forwarded = FuzzTarget(name: "forwarded") {
    [
      "10.0.0.1, 192.0.2.7\nfor=192.0.2.7;proto=https, for=\"[2001:db8::1]:4711\"",
      "2001:db8::1, unknown\nfor=_hidden;by=\"a\\\"b\"",
      "192.0.2.7:80 ,,\nFor=\"10.0.0.1:_p\", for=unknown",
    ].map { Array($0.utf8) }
  } run: { bytes in
    let lines = String(decoding: bytes, as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false)
    guard let block = NetworkBlock("10.0.0.0/8") else { preconditionFailure("no block") }
    let peer = HTTPPeer(address: PeerAddress(bytes: [10, 0, 0, 1], port: 9))
    var fields = HTTPFields()
    for (index, line) in lines.prefix(8).enumerated() {
      fields.append(index % 2 == 0 ? "x-forwarded-for" : "forwarded", String(line))
    }
    for field in TrustedProxies.Field.allCases {
      let request = HTTPRequest(method: "GET", path: "/", fields: fields)
      _ = try? TrustedProxies([block], field: field).client(of: request, from: peer)
    }
  }
}
