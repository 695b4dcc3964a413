import CSimdJSON

/// A parsed JSON document: its nodes in the order of the text, a container before its members.
///
/// A node is identified by its index. An array of numbers is one node, whose floats are contiguous in `numbers`. Floats of
/// consecutive arrays are consecutive too.
package struct JSONDocument: Sendable {
  /// The kind of value at a node.
  package typealias Kind = csj_kind

  /// The nodes; the first is the root, an object.
  let nodes: [csj_node]
  /// Each is the float nearest to the text of a number in an array of numbers.
  package let numbers: [Float]
  /// The strings, member names included, unescaped, as UTF-8.
  package let text: [UInt8]

  /// The number of nodes.
  package var nodeCount: Int { nodes.count }

  package func kind(_ node: Int) -> Kind { nodes[node].kind }

  /// The number of elements of an array, of members of an object.
  package func count(_ node: Int) -> Int { Int(nodes[node].count) }

  /// The node after `node` and everything inside it.
  package func next(_ node: Int) -> Int {
    switch nodes[node].kind {
    case .array, .object: Int(nodes[node].detail)
    case .null, .false, .true, .number, .string, .numbers: node + 1
    }
  }

  /// The range in `numbers` of the floats of a node of kind `numbers`.
  package func range(_ node: Int) -> Range<Int> {
    let start = Int(UInt32(truncatingIfNeeded: nodes[node].detail))
    return start..<start + count(node)
  }

  /// In a node of kind `numbers`, the index of the first element whose float is a whole number but not the number in
  /// the text (3.00000001, 16777217); nil if there is none. Elements are checked only up to the first whose float is
  /// not whole: ids are whole numbers.
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

  /// The exact whole number of a node of kind `number`, whether written 5, 5.0 or 50e-1.
  ///
  /// Nil where the number is not whole, or `Integer` can't hold it.
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

  /// The value at `node`, as an error describes it.
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
    // A double's significand has one implicit bit beside those stored.
    let isExact = nodes[node].detail <= 1 << (Double.significandBitCount + 1)
    guard isWhole, !isExact else { return .number(number(node)) }
    let sign = nodes[node].count == csj_number.negative_whole.rawValue ? "-" : ""
    return .largeNumber("\(sign)\(nodes[node].detail)")
  }

  /// What an error message says of a JSON value.
  package enum Found: Equatable, Sendable {
    case null
    case boolean(Bool)
    case number(Double)
    /// The digits of a whole number that a double might round.
    case largeNumber(String)
    case string(String)
    /// An array of this many numbers.
    case numbers(Int)
    /// An array of this many elements, not all of them numbers.
    case array(Int)
    case object
  }
}
