import HTTPCore

/// Gathers the fields of one request as they are decompressed.
///
/// nghttp2 has checked what RFC 9113 §8.1.1 calls malformed: names and values, the pseudo-header
/// fields, connection-specific fields, Content-Length against the body.
struct RequestHead {
  /// Empty until it came.
  private(set) var method = ""
  private var target: String?
  private var authority: String?
  private var fields = HTTPFields()
  private var byteCount = 0
  private var fieldCount = 0
  /// The first limit that was passed; nothing is stored from then on.
  private var fault: HTTP2Error?

  /// RFC 9113 §6.5.2 counts this for what an entry costs beside its text.
  static let bytesPerField = 32

  /// Adds the next field; its bytes are lent for the call.
  mutating func append(
    _ nameBytes: UnsafeBufferPointer<UInt8>, _ valueBytes: UnsafeBufferPointer<UInt8>,
    limits: HTTP2Limits
  ) {
    guard fault == nil else { return }
    byteCount += nameBytes.count + valueBytes.count + Self.bytesPerField
    // SAFETY: read during the call that lends them.
    if valueBytes.count > limits.maxTargetBytes, unsafe nameBytes.elementsEqual(":path".utf8) {
      fault = .targetTooLong(limit: limits.maxTargetBytes)
    } else if byteCount > limits.maxHeadBytes {
      fault = .headTooLong(limit: limits.maxHeadBytes)
    } else {
      // SAFETY: copied during the call that lends them.
      let name = unsafe String(decoding: nameBytes, as: UTF8.self)
      let value = unsafe String(decoding: valueBytes, as: UTF8.self)
      switch name {
      case ":method": method = value
      case ":path": target = value
      case ":authority": authority = value
      case ":scheme": break
      default:
        fieldCount += 1
        if fieldCount > limits.maxFields {
          fault = .tooManyFields(limit: limits.maxFields)
        } else if name == "cookie", let cookies = fields["cookie"] {
          // RFC 9113 §8.2.3: crumbs for the sake of compression, one field for the application.
          fields["cookie"] = "\(cookies); \(value)"
        } else {
          fields.append(name, value)
        }
      }
    }
  }

  /// The fields, of trailers.
  func trailers() throws(HTTP2Error) -> HTTPFields {
    if let fault { throw fault }
    return fields
  }

  /// The request that the fields make, without its body.
  func request() throws(HTTP2Error) -> HTTPRequest {
    if let fault { throw fault }
    guard method != "CONNECT" else { throw .connectUnsupported }
    guard let target, target.isTarget(for: method) else { throw .invalidTarget(target ?? "") }
    var fields = fields
    if let authority {
      // RFC 9113 §8.3.1: the two must not differ; a request without :authority has Host alone.
      for host in fields.values(of: "host") where host.lowercased() != authority.lowercased() {
        throw .hostDiffers(host: host, authority: authority)
      }
      fields["host"] = authority
    }
    for host in fields.values(of: "host") where host.isEmpty || !Authority.isValid(host.utf8.span) {
      throw .invalidHost(host)
    }
    for expectation in fields.values(of: "expect") where !expectation.isContinue {
      throw .unsupportedExpectation(expectation)
    }
    let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    return HTTPRequest(
      method: method, path: String(parts[0]), query: parts.count > 1 ? String(parts[1]) : nil,
      fields: fields)
  }
}

extension String {
  /// Whether this is the value of `expect` that asks for a 100 (RFC 9110 §10.1.1).
  var isContinue: Bool { lowercased() == "100-continue" }

  /// Whether this is a path with its query, of the bytes that RFC 3986 allows, or `*` with OPTIONS.
  fileprivate func isTarget(for method: String) -> Bool {
    if self == "*" { return method == "OPTIONS" }
    guard utf8.first == UInt8(ascii: "/") else { return false }
    return utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "#"), UInt8(ascii: "<"), UInt8(ascii: ">"),
        UInt8(ascii: "\\"), UInt8(ascii: "^"), UInt8(ascii: "`"), UInt8(ascii: "{"),
        UInt8(ascii: "|"), UInt8(ascii: "}"):
        false
      default:
        (0x21...0x7e).contains(byte)
      }
    }
  }
}
