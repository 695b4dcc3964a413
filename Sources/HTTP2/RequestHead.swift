import HTTPCore

/// Gathers the fields of one request as they are decompressed.
///
/// nghttp2 has checked what RFC 9113 §8.1.1 calls malformed: names and values, the pseudo-header
/// fields, connection-specific fields, Content-Length against the body.
struct RequestHead {
  /// Empty until `:method` has come.
  private(set) var method = ""
  private var target: String?
  private var authority: String?
  /// Whether `target` and `authority` are made of the bytes that they may hold.
  private var areValid = (target: false, authority: false)
  private var fields = HTTPFields()
  private var byteCount = 0
  private var fieldCount = 0
  /// The first limit that was exceeded; nothing is stored from then on.
  private var fault: HTTP2Error?

  /// What RFC 9113 §6.5.2 counts for each field besides its text.
  static let bytesPerField = 32

  /// Adds the next field; its bytes are valid during the call only.
  mutating func append(
    _ nameBytes: UnsafeBufferPointer<UInt8>, _ valueBytes: UnsafeBufferPointer<UInt8>,
    limits: HTTP2Limits
  ) {
    guard fault == nil else { return }
    byteCount += nameBytes.count + valueBytes.count + Self.bytesPerField
    // SAFETY: read during the call that lends them.
    let name = unsafe Span(_unsafeElements: nameBytes)
    if name.count > 0, name[0] == UInt8(ascii: ":") {
      let part = PseudoField(name)
      if part == .method, valueBytes.count > HTTP1Limits.maxMethodBytes {
        fault = .methodTooLong(limit: HTTP1Limits.maxMethodBytes)
      } else if part == .path, valueBytes.count > limits.maxTargetBytes {
        fault = .targetTooLong(limit: limits.maxTargetBytes)
      } else if byteCount > limits.maxHeadBytes {
        fault = .headTooLong(limit: limits.maxHeadBytes)
      } else {
        // SAFETY: copied during the call that lends them.
        unsafe set(part, Span(_unsafeElements: valueBytes))
      }
      return
    }
    guard byteCount <= limits.maxHeadBytes else {
      fault = .headTooLong(limit: limits.maxHeadBytes)
      return
    }
    fieldCount += 1
    guard fieldCount <= limits.maxFields else {
      fault = .tooManyFields(limit: limits.maxFields)
      return
    }
    // SAFETY: copied during the call that lends them.
    let value = unsafe String(decoding: valueBytes, as: UTF8.self)
    append(FieldNames.lowercased(name), value)
  }

  private mutating func set(_ part: PseudoField, _ value: Span<UInt8>) {
    switch part {
    case .method: method = String(value, of: .token) ?? String(fieldValue: value)
    case .path:
      let text = String(value, of: .target)
      areValid.target = text != nil
      target = text ?? String(fieldValue: value)
    case .authority:
      let text = Authority.text(value)
      areValid.authority = text != nil
      authority = text ?? String(fieldValue: value)
    case .scheme: break
    }
  }

  private mutating func append(_ name: String, _ value: String) {
    if name == "cookie", let cookies = fields["cookie"] {
      // RFC 9113 §8.2.3: clients may split Cookie, which compresses better; the application gets one field.
      fields["cookie"] = "\(cookies); \(value)"
    } else {
      if fieldCount == 1 { fields.reserveCapacity(8) }
      fields.append(lowercased: name, value)
    }
  }

  /// The pseudo-header fields of requests; nghttp2 refuses all others.
  private enum PseudoField {
    case method, path, authority, scheme

    init(_ name: Span<UInt8>) {
      switch name.count {
      case 5: self = .path
      case 10: self = .authority
      case 7 where name[1] == UInt8(ascii: "m"): self = .method
      default: self = .scheme
      }
    }
  }

  /// The fields, when they are trailers; throws if they exceeded a limit.
  consuming func trailers() throws(HTTP2Error) -> HTTPFields {
    if let fault { throw fault }
    return fields
  }

  /// Makes the request of the fields, without its body; throws if they exceeded a limit or are not valid.
  consuming func request() throws(HTTP2Error) -> HTTPRequest {
    if let fault { throw fault }
    guard method != "CONNECT" else { throw .connectUnsupported }
    guard let target, areValid.target, target.isTarget(for: method) else {
      throw .invalidTarget(target ?? "")
    }
    try completeFields()
    guard let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) else {
      return HTTPRequest(method: method, path: target, fields: fields)
    }
    return HTTPRequest(
      method: method, path: String(target[..<mark]),
      query: String(target[target.utf8.index(after: mark)...]), fields: fields)
  }

  /// Makes `:authority` the Host; throws if Host or Expect are not valid.
  private mutating func completeFields() throws(HTTP2Error) {
    var hasHost = false
    for field in fields.all where field.name == "host" {
      hasHost = true
      // RFC 9113 §8.3.1: the two must not differ; a request without :authority has Host alone.
      if let authority, field.value.lowercased() != authority.lowercased() {
        throw .hostDiffers(host: field.value, authority: authority)
      }
      if authority == nil, Authority.text(field.value.utf8.span) == nil {
        throw .invalidHost(field.value)
      }
    }
    for field in fields.all where field.name == "expect" {
      guard field.value.utf8.span.listHasOnly("100-continue") else {
        throw .unsupportedExpectation(field.value)
      }
    }
    guard let authority else { return }
    guard areValid.authority else { throw .invalidHost(authority) }
    if hasHost {
      fields["host"] = authority
    } else {
      fields.append(lowercased: "host", authority)
    }
  }
}

extension String {
  /// Whether this is a path, or `*` with OPTIONS.
  fileprivate func isTarget(for method: String) -> Bool {
    self == "*" ? method == "OPTIONS" : utf8.first == UInt8(ascii: "/")
  }
}
