/// The paths of an endpoint: `/models/{name}/sessions/{id}`, where a name in braces stands for one segment.
struct PathPattern: Sendable, Hashable, ExpressibleByStringLiteral {
  /// As documentation and metrics write it.
  let text: String
  /// What stands in braces, in order.
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

  /// Whether it stands for one path, itself.
  var isLiteral: Bool { names.isEmpty }

  /// What stands in `path`, given by its segments, for each of `names`; nil where the path is none of these.
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
