import HTTP2
import HTTPCore

/// The protocol of a connection until its first bytes show whether the peer speaks HTTP/1 or HTTP/2: it only collects them.
/// What a TLS handshake has settled holds, whatever the bytes are.
final class ProtocolDetector: ConnectionProtocol {
  /// What every HTTP/2 client sends first (RFC 9113 §3.4).
  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  private enum Verdict { case undecided, http1, http2 }

  /// The bytes received so far.
  private(set) var first: [UInt8] = []
  private var output: [UInt8] = []
  private(set) var wantsClose = false

  private func verdict(_ agreed: AgreedProtocol?) -> Verdict {
    if first.isEmpty || wantsClose { return .undecided }
    if let agreed { return agreed == .http2 ? .http2 : .http1 }
    if first.starts(with: Self.preface) { return .http2 }
    return Self.preface.starts(with: first) ? .undecided : .http1
  }

  /// Makes the protocol that `first` belongs to, which takes over from here; nil while the bytes are too few to tell.
  ///
  /// - Parameter agreed: the protocol that a handshake settled, if one did.
  func successor(
    _ settings: HTTPServerSettings, agreed: AgreedProtocol?, date: ResponseDate,
    reception: @escaping HeadReception
  ) -> (any ConnectionProtocol)? {
    switch verdict(agreed) {
    case .undecided: nil
    case .http1: HTTP1Connection(limits: settings.http1, date: date, reception: reception)
    case .http2: HTTP2Connection(limits: settings.http2, date: date, reception: reception)
    }
  }

  /// Queues `response`, and ignores everything that the peer sends.
  func refuse(_ response: HTTPResponse, date: ResponseDate) {
    HTTP1Serializer.append(response, to: &output, date: date, persistence: .close)
    shutDown()
  }

  func receive(_ bytes: Span<UInt8>, into events: inout [ConnectionEvent]) {
    if !wantsClose { first.append(copying: bytes) }
  }

  func takeOutput() -> [UInt8] {
    defer { output = [] }
    return output
  }

  /// Closes without a response, since the peer's protocol is not known.
  func timeOut() { shutDown() }

  func shutDown() {
    first = []
    wantsClose = true
  }

  var phase: ConnectionPhase { first.isEmpty ? .idle : .readingHead }
  var outputCount: Int { output.count }
  var heldBytes: Int { output.capacity + first.capacity }
  var canCloseSilently: Bool { !wantsClose }
  var wantsInput: Bool { true }

  // No request has been parsed, so nothing is owed.

  var hasBacklog: Bool { false }
  var hasNews: Bool { false }
  var incompleteBytes: Int { 0 }
  func respond(_ response: consuming HTTPResponse, to stream: StreamID) {}
  func begin(_ response: HTTPResponse, to stream: StreamID) {}
  func write(_ bytes: [UInt8], to stream: StreamID) {}
  func end(_ stream: StreamID, trailers: HTTPFields) {}
  func readBody(_ count: Int, of stream: StreamID) {}
  func heldBytes(of stream: StreamID) -> Int { 0 }
  func takeRefusals() -> [HTTPStatus] { [] }
  func refuseLargestBody(_ response: HTTPResponse) {}
}
