/// The pattern of an endpoint's paths: in `/models/{name}/sessions/{id}`, each name in braces stands for one segment.
struct PathPattern: Sendable, Hashable, ExpressibleByStringLiteral {
  /// The pattern as documentation and metrics write it.
  let text: String
  /// The names in braces, in order.
  let names: [String]
  private let segments: [Segment]

  private enum Segment: Hashable {
    case literal(String)
    case parameter
  }

  init(stringLiteral text: String) {
    self.text = text
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    names = parts.filter(Self.isName).map { String($0.dropFirst().dropLast()) }
    segments = parts.map { Self.isName($0) ? .parameter : .literal(String($0)) }
  }

  /// Whether the pattern has no names, so that it matches only itself.
  var isLiteral: Bool { names.isEmpty }

  /// The values of `names` in `path`, which is given by its segments; nil where the path does not match.
  func values(in path: [Substring]) -> [String]? {
    guard path.count == segments.count else { return nil }
    for (segment, found) in zip(segments, path) {
      switch segment {
      case .literal(let expected): guard found == expected else { return nil }
      case .parameter: guard !found.isEmpty else { return nil }
      }
    }
    return zip(segments, path).compactMap { $0 == .parameter ? String($1) : nil }
  }

  private static func isName(_ segment: Substring) -> Bool {
    segment.first == "{" && segment.last == "}"
  }
}
