import Compression
import HTTPCore
import Synchronization

/// Undoes the content coding of requests and applies one to responses (RFC 9110 §8.4).
package struct ContentCoding: Sendable {
  /// Which responses are compressed, and how large an inflated body may become.
  package struct Settings: Sendable, Equatable {
    /// Responses with a smaller body are not compressed, unless the client refuses uncompressed ones.
    package var minCompressBytes = 1024
    /// 1 (fastest) to 9 (smallest). On JSON numbers higher levels cost more time than they save
    /// bytes.
    package var gzipLevel = 4
    /// The most bytes that a request's body may inflate to.
    package var maxInflatedBytes = 16 << 20
    /// The most bytes that may come out for each byte that came in.
    package var maxInflateRatio = 200

    package init() {}
  }

  private let settings: Settings

  /// - Precondition: `gzipLevel` is 1 to 9.
  package init(_ settings: Settings = Settings()) {
    precondition((1...9).contains(settings.gzipLevel), "gzip levels are 1 to 9")
    self.settings = settings
  }

  /// Inflates the body if Content-Encoding says that it is compressed, and removes that field.
  ///
  /// - Parameter memory: the reservation that grows with the inflated body; with nil nothing is counted.
  /// - Returns: nil on success, else the response that refuses the request.
  package func decode(
    _ request: inout HTTPRequest, within memory: MemoryReservation? = nil
  ) -> HTTPResponse? {
    switch decode(&request, within: memory, atMost: settings.maxInflatedBytes) {
    case .done, .unfinished: nil
    case .refused(let response): response
    }
  }

  /// The result of an attempt to undo a content coding.
  package enum Decoding: Equatable {
    /// The body is decoded, or had no content coding.
    case done
    /// The request is refused with this response.
    case refused(HTTPResponse)
    /// More than `maxBytes` would come out; the request is unchanged.
    case unfinished
  }

  /// Does what `decode(_:within:)` does, but gives up as soon as more than `maxBytes` come out.
  ///
  /// Never returns `unfinished` if `maxBytes` is `max_inflated_bytes` or more.
  package func decode(
    _ request: inout HTTPRequest, within memory: MemoryReservation?, atMost maxBytes: Int
  ) -> Decoding {
    let codings = request.fields.values(of: "content-encoding")
      .flatMap { $0.split(separator: ",") }
      .map { $0.trimmed.lowercased() }
      .filter { !$0.isEmpty && $0 != "identity" }
    guard let coding = codings.first else {
      request.fields["content-encoding"] = nil
      return .done
    }
    // A second coding saves nothing, and would square the ratio of a decompression bomb.
    guard codings.count == 1, let format = CompressedFormat(contentCoding: coding) else {
      return .refused(.unknownCoding(codings.joined(separator: ", ")))
    }
    if !request.body.isEmpty {
      let limits = InflateLimits(
        maxBytes: min(maxBytes, settings.maxInflatedBytes), maxRatio: settings.maxInflateRatio)
      do {
        request.body = try inflated(request.body.span, from: format, limits: limits) {
          memory?.resize(to: $0) ?? true
        }
      } catch {
        if case .tooLarge = error, maxBytes < settings.maxInflatedBytes { return .unfinished }
        if case .noRoom(let bytes) = error,
          let largest = memory?.largest(beside: request.heldBytes), bytes > largest
        {
          return .refused(.inflatesBeyondMemory(largest))
        }
        return .refused(.inflationFailed(error, coding: coding))
      }
    }
    request.fields["content-encoding"] = nil
    if request.fields["content-length"] != nil {
      request.fields["content-length"] = String(request.body.count)
    }
    return .done
  }

  /// Whether `encode` might change anything: it does not for small bodies of clients that say nothing of codings.
  func mayEncode(_ response: HTTPResponse, for request: HTTPRequest) -> Bool {
    !response.body.isEmpty
      && (response.body.count >= settings.minCompressBytes
        || request.field("accept-encoding") != nil)
  }

  /// Compresses the body with gzip if the client accepts that, the body has at least `minCompressBytes`, and it gets
  /// smaller; a body of any size if the client refuses an uncompressed one. Adds Vary when the client's Accept-Encoding
  /// decided.
  package func encode(_ response: inout HTTPResponse, for request: HTTPRequest) {
    guard mayEncode(response, for: request) else { return }
    let isLarge = response.body.count >= settings.minCompressBytes
    let choice = AcceptEncoding(request.fields).choice
    guard isLarge || choice == .onlyGzip, response.isCompressible else { return }
    response.addVary("accept-encoding")
    guard choice != .identity else { return }
    // If compressing fails, the body stays as it is: every client can be sent that.
    let body = try? gzipped(
      response.body.span, level: settings.gzipLevel, onlyIfSmaller: choice == .gzip)
    guard let body else { return }
    response.body = body
    response.fields["content-encoding"] = "gzip"
  }
}

extension ContentCoding {
  /// Begins to compress a streamed response, as `encode` compresses a whole one. Server-sent events are not compressed,
  /// since each has to reach the client at once.
  ///
  /// - Parameter memory: the account that the compressor's memory is reserved from; if it does not fit, the response is
  ///   sent as it is.
  /// - Returns: the function that compresses each part; nil when the response is sent as it is.
  package func encodeStream(
    _ response: inout HTTPResponse, for request: HTTPRequest, within memory: MemoryAccount
  ) -> HTTPExchange.PartCoder? {
    guard response.isCompressible, response.fields["content-type"] != "text/event-stream" else {
      return nil
    }
    response.addVary("accept-encoding")
    guard AcceptEncoding(request.fields).choice != .identity,
      let reservation = memory.reserve(GzipStream.byteCount),
      let coder = try? StreamCoder(level: settings.gzipLevel, reservation)
    else { return nil }
    response.fields["content-encoding"] = "gzip"
    return { coder.compress($0, isLast: $1) }
  }
}

/// Compresses the parts of one response's body, and holds the memory that is reserved for that.
private final class StreamCoder: Sendable {
  private let stream: Mutex<GzipStream>
  private let memory: MemoryReservation

  init(level: Int, _ memory: MemoryReservation) throws(CompressionError) {
    stream = Mutex(try GzipStream(level: level))
    self.memory = memory
  }

  func compress(_ bytes: [UInt8], isLast: Bool) -> [UInt8] {
    stream.withLock { $0.compress(bytes.span, isLast: isLast) }
  }
}

extension CompressedFormat {
  /// The format that a Content-Encoding (in lower case) stands for.
  fileprivate init?(contentCoding: String) {
    switch contentCoding {
    case "gzip", "x-gzip": self = .gzip
    case "deflate": self = .deflate
    default: return nil
    }
  }
}

extension HTTPResponse {
  /// Whether the body is worth compressing: it has no content coding yet, and its type is text.
  fileprivate var isCompressible: Bool {
    guard status.code != 204, status.code != 304,
      fields["content-encoding"] == nil, let type = fields["content-type"]
    else { return false }
    if type == "application/json" { return true }
    let name = type.prefix { $0 != ";" }.trimmed.lowercased()
    return name.hasPrefix("text/") || name.hasSuffix("+json") || name.hasSuffix("+xml")
      || Self.compressibleApplicationTypes.contains(name)
  }

  private static let compressibleApplicationTypes: Set<String> = [
    "application/json", "application/x-ndjson", "application/javascript", "application/xml",
    "application/openmetrics-text", "application/yaml",
  ]

  /// Adds `name` to Vary unless it, or `*`, is there.
  fileprivate mutating func addVary(_ name: String) {
    let present = fields.values(of: "vary")
    let names = present.flatMap { $0.split(separator: ",") }.map { $0.trimmed.lowercased() }
    guard !names.contains(name), !names.contains("*") else { return }
    fields["vary"] = (present + [name]).joined(separator: ", ")
  }

  fileprivate static func unknownCoding(_ found: String) -> HTTPResponse {
    var response = error(
      .unsupportedMediaType,
      "content-encoding is \(found); expected one of gzip, deflate or identity")
    // RFC 9110 §12.5.3: a 415 because of the content coding lists the codings that the client may use.
    response.fields.append("accept-encoding", "gzip, deflate")
    return response
  }

  /// The response to a body that would not fit into memory once it is inflated, even without other requests.
  fileprivate static func inflatesBeyondMemory(_ limit: Int) -> HTTPResponse {
    error(
      .contentTooLarge,
      "inflating the body takes more than \(limit) bytes, which is all that max_memory_bytes leaves for it"
    )
  }

  fileprivate static func inflationFailed(
    _ failure: CompressionError, coding: String
  ) -> HTTPResponse {
    switch failure {
    case .tooLarge(let limit):
      error(.contentTooLarge, "the body inflates to more than max_inflated_bytes, \(limit)")
    case .ratioTooHigh(let limit):
      error(
        .contentTooLarge,
        "the body inflates by more than max_inflate_ratio, \(limit) bytes out for one in")
    case .truncated(let inputBytes):
      error(.badRequest, "the \(coding) body ends early, after \(inputBytes) bytes")
    case .corrupt(let offset):
      error(.badRequest, "the \(coding) body is corrupt at about byte \(offset)")
    case .trailingGarbage(let offset):
      error(.badRequest, "the \(coding) body ends at byte \(offset) but more follows")
    case .noRoom: .full
    case .outOfMemory:
      error(.serviceUnavailable, "no memory is left to inflate the \(coding) body")
    }
  }
}
