import CSimdJSON

/// A JSON document taken apart: its nodes in the order of the text, a container before its members.
///
/// A node is named by its index. An array of numbers is one node, its floats side by side in `numbers`;
/// where arrays of numbers follow one another in the text, so do their floats.
package struct JSONDocument: Sendable {
  /// What stands at a node.
  package typealias Kind = csj_kind

  /// The root, an object, comes first.
  let nodes: [csj_node]
  /// The float nearest to each number's text.
  package let numbers: [Float]
  /// The strings, escapes undone, as UTF-8.
  package let text: [UInt8]

  /// How many nodes there are.
  package var nodeCount: Int { nodes.count }

  package func kind(_ node: Int) -> Kind { nodes[node].kind }

  /// The elements of an array, the members of an object.
  package func count(_ node: Int) -> Int { Int(nodes[node].count) }

  /// The node after `node` and all that it holds.
  package func next(_ node: Int) -> Int {
    switch nodes[node].kind {
    case .array, .object: Int(nodes[node].detail)
    case .null, .false, .true, .number, .string, .numbers: node + 1
    }
  }

  /// Where a node of kind `numbers` has its floats.
  package func range(_ node: Int) -> Range<Int> {
    let start = Int(UInt32(truncatingIfNeeded: nodes[node].detail))
    return start..<start + count(node)
  }

  /// The first element of a node of kind `numbers` whose float is a whole number and whose text is another: 3.00000001.
  /// It is told of numbers that are all whole, as ids are.
  package func firstRoundedElement(_ node: Int) -> Int? {
    let place = Int(nodes[node].detail >> 32)
    return place > 0 ? place - 1 : nil
  }

  /// The value of a node of kind `number`.
  package func number(_ node: Int) -> Double {
    switch csj_number(rawValue: nodes[node].count) {
    case .whole: Double(nodes[node].detail)
    case .negative_whole: -Double(nodes[node].detail)
    case .double, nil: Double(bitPattern: nodes[node].detail)
    }
  }

  /// The whole number that a node of kind `number` is to the last digit, be it written 5, 5.0 or 50e-1.
  ///
  /// Nil where it is none, or none that `Integer` can hold.
  package func integer<Integer: FixedWidthInteger>(
    _ node: Int, as type: Integer.Type = Int.self
  ) -> Integer? {
    let magnitude = nodes[node].detail
    switch csj_number(rawValue: nodes[node].count) {
    case .whole: return Integer(exactly: magnitude)
    case .negative_whole:
      guard magnitude <= Int64.min.magnitude else { return nil }
      return Integer(exactly: Int64(truncatingIfNeeded: 0 &- magnitude))
    case .double, nil: return nil
    }
  }

  /// The UTF-8 of a node of kind `string`.
  package func bytes(_ node: Int) -> ArraySlice<UInt8> {
    let start = Int(nodes[node].detail)
    return text[start..<start + count(node)]
  }

  package func string(_ node: Int) -> String { String(decoding: bytes(node), as: UTF8.self) }

  /// What stands at `node`, for an error.
  package func found(_ node: Int) -> Found {
    switch nodes[node].kind {
    case .null: .null
    case .false: .boolean(false)
    case .true: .boolean(true)
    case .number: foundNumber(node)
    case .string: .string(string(node))
    case .numbers: .numbers(count(node))
    case .array: .array(count(node))
    case .object: .object
    }
  }

  private func foundNumber(_ node: Int) -> Found {
    let isWhole = nodes[node].count != csj_number.double.rawValue
    // A double has one more bit than it stores.
    let isExact = nodes[node].detail <= 1 << (Double.significandBitCount + 1)
    guard isWhole, !isExact else { return .number(number(node)) }
    let sign = nodes[node].count == csj_number.negative_whole.rawValue ? "-" : ""
    return .largeNumber("\(sign)\(nodes[node].detail)")
  }

  /// A value of JSON as an error message describes it.
  package enum Found: Equatable, Sendable {
    case null
    case boolean(Bool)
    case number(Double)
    /// The digits of a whole number that a double might round.
    case largeNumber(String)
    case string(String)
    /// An array of that many numbers.
    case numbers(Int)
    /// An array of that many elements, not all numbers.
    case array(Int)
    case object
  }
}
