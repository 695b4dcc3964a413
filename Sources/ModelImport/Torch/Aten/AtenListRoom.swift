/// How much the lists of a script may hold. Each of its lines could double what the line before it made, so they are counted as
/// if none of them shared what it holds with another.
struct AtenListRoom {
  /// The most elements of a list.
  static let maxElements = 1 << 20
  /// How deep lists may lie in each other.
  static let maxDepth = 8

  /// Elements that may still be held.
  private(set) var rest = 1 << 24

  /// A list or a dictionary that was made.
  mutating func taking(_ value: AtenValue, _ place: String) throws(ImportError) -> AtenValue {
    guard take(value, depth: Self.maxDepth) else {
      throw ImportError(
        file: "", place: place,
        problem: "found lists of lists with more elements than a model's have")
    }
    return value
  }

  private mutating func take(_ value: AtenValue, depth: Int) -> Bool {
    let values: [AtenValue]
    switch value {
    case .list(let elements): values = elements
    case .dictionary(let entries): values = entries.map(\.value)
    case .packed(_, let lengths, _): values = [lengths]
    default: return true
    }
    rest -= values.count
    guard depth > 0, rest >= 0 else { return false }
    for value in values {
      guard take(value, depth: depth - 1) else { return false }
    }
    return true
  }
}
