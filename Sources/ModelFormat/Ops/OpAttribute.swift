import JSON

/// A key of a node that only its op has, kept in a property of the op: how it is read, checked and written.
package struct OpAttribute<Op: Sendable>: Sendable {
  let key: String
  let read: @Sendable (JSONField, inout Op) throws(ModelError) -> Void
  /// Nil where it is left out.
  let json: @Sendable (Op) -> String?
  /// The second argument is the attribute's path.
  let check: @Sendable (Op, String) throws(ModelError) -> Void
}

/// Which numbers an attribute may be.
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

  /// A number; left out, it is what the op's `init()` says.
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

  /// A number; may be left out.
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

  /// Whether something is so; left out, it is not.
  static func flag(_ key: String, _ property: Property<Bool>) -> OpAttribute {
    OpAttribute(key: key) { field, op throws(ModelError) in
      op[keyPath: property] = try field.bool()
    } json: { op in
      op[keyPath: property] ? "true" : nil
    } check: { _, _ in
    }
  }

  /// Whether something is so; may be left out.
  static func optionalFlag(_ key: String, _ property: Property<Bool?>) -> OpAttribute {
    OpAttribute(key: key) { field, op throws(ModelError) in
      op[keyPath: property] = try field.bool()
    } json: { op in
      op[keyPath: property].map { "\($0)" }
    } check: { _, _ in
    }
  }

  /// A whole number; left out, it is what the op's `init()` says.
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

  /// A whole number that may be left out.
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

  /// An array of whole numbers, or one number for an array of one.
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

  /// Whole numbers that no sum of sizes makes overflow.
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

  /// An array of numbers, or one number for an array of one; may be left out.
  static func numbers(_ key: String, _ property: Property<[Float]?>) -> OpAttribute {
    OpAttribute(key: key) { field, op throws(ModelError) in
      op[keyPath: property] = try field.floats()
    } json: { op in
      op[keyPath: property].map(JSONText.array)
    } check: { op, path throws(ModelError) in
      if let numbers = op[keyPath: property] { try checkNumbers(numbers, path: path) }
    }
  }

  /// One of some words; may be left out. `expected` names them.
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

/// Refuses numbers that are not finite and, where `count` is given, others than as many.
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
