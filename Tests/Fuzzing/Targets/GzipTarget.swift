import Compression

extension FuzzTarget {
  /// Bodies of requests with a content coding, the first byte of which says which.
  static let gzip = FuzzTarget(name: "gzip") {
    let text = Array(repeating: Array("{\"inputs\":[1,2,3]}".utf8), count: 20).flatMap { $0 }
    return [[0], [1], [2]].map { $0 + ((try? gzipped(text.span, level: 6)) ?? []) }
      + [[2] + Array(((try? gzipped(text.span, level: 6)) ?? []).dropFirst(10))]
  } run: { bytes in
    guard let first = bytes.first else { return }
    let formats: [CompressedFormat] = [.gzip, .deflate, .bareDeflate]
    let limits = InflateLimits(maxBytes: 4 << 20, maxRatio: 100)
    let packed = Array(bytes.dropFirst())
    guard
      let found = try? inflated(packed.span, from: formats[Int(first) % 3], limits: limits)
    else { return }
    precondition(found.count <= limits.maxBytes, "more than the limit")
    guard let again = try? gzipped(found.span, level: 1) else {
      preconditionFailure("can't be compressed")
    }
    let back = try? inflated(
      again.span, from: .gzip, limits: InflateLimits(maxBytes: found.count, maxRatio: .max))
    precondition(back == found, "compressed and inflated, it is another")
  }
}
