import JSON

/// An attribute of an op: a key of its nodes, stored in a property of the op. Defines how the attribute is read,
/// checked and written.
package struct OpAttribute<Op: Sendable>: Sendable {
  let key: String
  let read: @Sendable (JSONField, inout Op) throws(ModelError) -> Void
  /// The attribute's value as JSON; nil if the attribute is omitted.
  let json: @Sendable (Op) -> String?
  /// The second argument is the attribute's path.
  let check: @Sendable (Op, String) throws(ModelError) -> Void
}

/// The numbers that an attribute allows.
enum NumberBound: Sendable {
  case finite, zeroOrMore, positive

  func contains(_ number: Float) -> Bool {
    switch self {
    case .finite: number.isFinite
    case .zeroOrMore: number.isFinite && number >= 0
    case .positive: number.isFinite && number > 0
    }
  }

  var text: String {
    switch self {
    case .finite: "a finite number"
    case .zeroOrMore: "a number of 0 or more"
    case .positive: "a number greater than 0"
    }
  }
}

extension OpAttribute {
  typealias Property<Value> = WritableKeyPath<Op, Value> & Sendable

  /// A number, by default that of the op's `init()`.
  static func number(
    _ key: String, _ property: Property<Float>, _ bound: NumberBound = .finite
  ) -> OpAttribute {
    OpAttribute(key: key) { field, op throws(ModelError) in
      op[keyPath: property] = try field.float()
    } json: { op in
      "\(op[keyPath: property])"
    } check: { op, path throws(ModelError) in
      let number = op[keyPath: property]
      guard bound.contains(number) else {
        throw .unexpected(path: path, found: "\(number)", expected: bound.text)
      }
    }
  }

  /// An optional number.
  static func optionalNumber(
    _ key: String, _ property: Property<Float?>, _ bound: NumberBound = .finite
  ) -> OpAttribute {
    OpAttribute(key: key) { field, op throws(ModelError) in
      op[keyPath: property] = try field.float()
    } json: { op in
      op[keyPath: property].map { "\($0)" }
    } check: { op, path throws(ModelError) in
      guard let number = op[keyPath: property], !bound.contains(number) else { return }
      throw .unexpected(path: path, found: "\(number)", expected: bound.text)
    }
  }

  /// A boolean, by default false.
  static func flag(_ key: String, _ property: Property<Bool>) -> OpAttribute {
    OpAttribute(key: key) { field, op throws(ModelError) in
      op[keyPath: property] = try field.bool()
    } json: { op in
      op[keyPath: property] ? "true" : nil
    } check: { _, _ in
    }
  }

  /// An optional boolean.
  static func optionalFlag(_ key: String, _ property: Property<Bool?>) -> OpAttribute {
    OpAttribute(key: key) { field, op throws(ModelError) in
      op[keyPath: property] = try field.bool()
    } json: { op in
      op[keyPath: property].map { "\($0)" }
    } check: { _, _ in
    }
  }

  /// A whole number, by default that of the op's `init()`.
  static func integer(
    _ key: String, _ property: Property<Int>, in bounds: ClosedRange<Int> = allIntegers
  ) -> OpAttribute {
    OpAttribute(key: key) { field, op throws(ModelError) in
      op[keyPath: property] = try field.integer()
    } json: { op in
      "\(op[keyPath: property])"
    } check: { op, path throws(ModelError) in
      try checkInteger(op[keyPath: property], in: bounds, path: path)
    }
  }

  /// An optional whole number.
  static func optionalInteger(
    _ key: String, _ property: Property<Int?>, in bounds: ClosedRange<Int> = allIntegers
  ) -> OpAttribute {
    OpAttribute(key: key) { field, op throws(ModelError) in
      op[keyPath: property] = try field.integer()
    } json: { op in
      op[keyPath: property].map { "\($0)" }
    } check: { op, path throws(ModelError) in
      if let number = op[keyPath: property] { try checkInteger(number, in: bounds, path: path) }
    }
  }

  /// An array of whole numbers; a single number counts as an array of one.
  static func integers(_ key: String, _ property: Property<[Int]>) -> OpAttribute {
    OpAttribute(key: key) { field, op throws(ModelError) in
      op[keyPath: property] = try field.integers()
    } json: { op in
      JSONText.array(op[keyPath: property])
    } check: { op, path throws(ModelError) in
      for (index, number) in op[keyPath: property].enumerated() {
        try checkInteger(number, in: allIntegers, path: "\(path)[\(index)]")
      }
    }
  }

  /// Whole numbers of any sign that can't overflow when added to sizes.
  static var allIntegers: ClosedRange<Int> { -ModelLimits.size...ModelLimits.size }

  private static func checkInteger(
    _ number: Int, in bounds: ClosedRange<Int>, path: String
  ) throws(ModelError) {
    guard bounds.contains(number) else {
      throw .unexpected(
        path: path, found: "\(number)",
        expected: "a whole number from \(bounds.lowerBound) to \(bounds.upperBound)")
    }
  }

  /// An optional array of numbers; a single number counts as an array of one.
  static func numbers(_ key: String, _ property: Property<[Float]?>) -> OpAttribute {
    OpAttribute(key: key) { field, op throws(ModelError) in
      op[keyPath: property] = try field.floats()
    } json: { op in
      op[keyPath: property].map(JSONText.array)
    } check: { op, path throws(ModelError) in
      if let numbers = op[keyPath: property] { try checkNumbers(numbers, path: path) }
    }
  }

  /// An optional word of an enum; `expected` lists the words for errors.
  static func word<Word: RawRepresentable<String> & SendableMetatype>(
    _ key: String, _ property: Property<Word?>, expected: String
  ) -> OpAttribute {
    OpAttribute(key: key) { field, op throws(ModelError) in
      guard let word = Word(rawValue: try field.string()) else { throw field.unexpected(expected) }
      op[keyPath: property] = word
    } json: { op in
      op[keyPath: property]?.rawValue.jsonText
    } check: { _, _ in
    }
  }
}

/// Throws unless all numbers are finite and, if `count` is given, there are `count` of them.
func checkNumbers(
  _ numbers: [Float], count: Int? = nil, path: String
) throws(ModelError) {
  if let count, numbers.count != count {
    throw .unexpected(path: path, found: "\(numbers.count)", expected: "\(count) numbers")
  }
  if let index = numbers.firstIndex(where: { !$0.isFinite }) {
    throw .unexpected(
      path: "\(path)[\(index)]", found: "\(numbers[index])", expected: "a finite number")
  }
}
