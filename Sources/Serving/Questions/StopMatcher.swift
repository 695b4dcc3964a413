/// Finds stops in a text that comes piece by piece, and holds back an end that may be the beginning of a stop.
struct StopMatcher {
  /// The stops as UTF-8; none is empty.
  private let stops: [[UInt8]]
  private var held: [UInt8] = []

  init(_ stops: [String]) { self.stops = stops.map { Array($0.utf8) } }

  /// Adds a piece of text.
  ///
  /// - Returns: the text that can be sent now, and whether a stop follows it.
  mutating func append(_ piece: String) -> (text: String, stops: Bool) {
    held += piece.utf8
    let found = stops.compactMap { held.firstRange(of: $0)?.lowerBound }.min()
    if let found {
      defer { held = [] }
      return (String(decoding: held[..<found], as: UTF8.self), true)
    }
    let kept = stops.map(overlap).max() ?? 0
    defer { held.removeFirst(held.count - kept) }
    return (String(decoding: held.dropLast(kept), as: UTF8.self), false)
  }

  /// Returns the held text, as no more text follows.
  mutating func finish() -> String {
    defer { held = [] }
    return String(decoding: held, as: UTF8.self)
  }

  /// The number of bytes at the end of the held text that begin `stop`.
  private func overlap(_ stop: [UInt8]) -> Int {
    stride(from: min(stop.count - 1, held.count), to: 0, by: -1).first {
      held.suffix($0).elementsEqual(stop.prefix($0))
    } ?? 0
  }
}
