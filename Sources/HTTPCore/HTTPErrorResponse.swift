extension HTTPResponse {
  /// An error as every part of the server tells it: `{"error": "one sentence"}`.
  package static func error(_ status: HTTPStatus, _ sentence: String) -> HTTPResponse {
    var body: [UInt8] = Array(#"{"error":""#.utf8)
    for byte in sentence.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        body.append(UInt8(ascii: "\\"))
        body.append(byte)
      case 0x00..<0x20:
        body.append(contentsOf: #"\u00"#.utf8)
        body.append(hexDigit(byte >> 4))
        body.append(hexDigit(byte & 15))
      default:
        body.append(byte)
      }
    }
    body.append(contentsOf: "\"}\n".utf8)
    return HTTPResponse(
      status: status, fields: ["content-type": "application/json"], body: body)
  }

  private static func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? ASCII.zero + value : UInt8(ascii: "a") + value - 10
  }
}
