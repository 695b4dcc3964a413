import JSON

extension JSONValue {
  /// The value of an object's key; nil if it is absent or null.
  subscript(key: String) -> JSONValue? {
    guard let value = members?.first(where: { $0.key == key })?.value, value != .null else {
      return nil
    }
    return value
  }

  var members: [Member]? {
    guard case .object(let members) = self else { return nil }
    return members
  }

  var elements: [JSONValue]? {
    guard case .array(let elements) = self else { return nil }
    return elements
  }

  var string: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }

  var number: Double? {
    guard case .number(let text) = self else { return nil }
    return Double(text)
  }

  /// A whole number, even if written `3.0`.
  var integer: Int? { number.flatMap { Int(exactly: $0) }.map(SourceTensor.integer) }

  /// Whole numbers in an array, or a single one.
  var integers: [Int]? {
    if let integer { return [integer] }
    guard let elements else { return nil }
    let integers = elements.compactMap(\.integer)
    return integers.count == elements.count ? integers : nil
  }

  /// Sizes; nil for open ones.
  var openSizes: [Int?]? {
    guard let elements = elements ?? self["items"]?.elements else { return nil }
    var sizes: [Int?] = []
    for element in elements {
      if element == .null {
        sizes.append(nil)
      } else if let size = element.integer {
        sizes.append(size)
      } else {
        return nil
      }
    }
    return sizes
  }
}
