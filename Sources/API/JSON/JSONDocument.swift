import CSimdJSON

/// A JSON document taken apart: its nodes in the order of the text, a container before its members.
///
/// A node is named by its index. An array of numbers is one node, its floats side by side in `numbers`;
/// where arrays of numbers follow one another in the text, so do their floats.
struct JSONDocument: Sendable {
  /// The root, an object, comes first.
  let nodes: [csj_node]
  /// The float nearest to each number's text.
  let numbers: [Float]
  /// The strings, escapes undone, as UTF-8.
  let text: [UInt8]

  func kind(_ node: Int) -> csj_kind { nodes[node].kind }

  /// The elements of an array, the members of an object.
  func count(_ node: Int) -> Int { Int(nodes[node].count) }

  /// The node after `node` and all that it holds.
  func next(_ node: Int) -> Int {
    switch nodes[node].kind {
    case .array, .object: Int(nodes[node].detail)
    case .null, .false, .true, .number, .string, .numbers: node + 1
    }
  }

  /// Where a node of kind `numbers` has its floats.
  func range(_ node: Int) -> Range<Int> {
    let start = Int(nodes[node].detail)
    return start..<start + count(node)
  }

  /// The value of a node of kind `number`.
  func number(_ node: Int) -> Double { Double(bitPattern: nodes[node].detail) }

  /// The UTF-8 of a node of kind `string`.
  func bytes(_ node: Int) -> ArraySlice<UInt8> {
    let start = Int(nodes[node].detail)
    return text[start..<start + count(node)]
  }

  func string(_ node: Int) -> String { String(decoding: bytes(node), as: UTF8.self) }

  /// What stands at `node`, for an error.
  func found(_ node: Int) -> Found {
    switch nodes[node].kind {
    case .null: .null
    case .false: .boolean(false)
    case .true: .boolean(true)
    case .number: .number(number(node))
    case .string: .string(string(node))
    case .numbers: .numbers(count(node))
    case .array: .array(count(node))
    case .object: .object
    }
  }

  /// A value of JSON as an error message describes it.
  enum Found: Equatable, Sendable {
    case null
    case boolean(Bool)
    case number(Double)
    case string(String)
    /// An array of that many numbers.
    case numbers(Int)
    /// An array of that many elements, not all numbers.
    case array(Int)
    case object
  }
}
