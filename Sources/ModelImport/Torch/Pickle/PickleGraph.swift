/// The objects that a pickle describes. None of them is made: a call of a function or a class is kept as what would be called
/// and with what, so that reading a pickle executes nothing.
struct PickleGraph {
  /// Where an object stands in the graph. Objects refer to each other, also in cycles.
  struct Reference: Hashable {
    let index: Int
  }

  /// A key and a value of a dictionary, or the attribute of an object.
  struct Entry {
    let key: Reference
    let value: Reference
  }

  enum Node {
    case none
    case bool(Bool)
    case int(Int)
    /// An integer beyond 64 bits.
    case largeInt
    case float(Double)
    /// UTF-8; of Python 2's strings whatever bytes they had.
    case text([UInt8])
    case bytes([UInt8])
    case tuple([Reference])
    case list([Reference])
    case set([Reference])
    case dictionary([Entry])
    case global(module: String, name: String)
    case call(Call)
    /// What stands outside of the pickle: the storage of a tensor.
    case persistent(Reference)
  }

  /// What Python would call, and what it would do to the result.
  struct Call {
    let function: Reference
    let arguments: Reference
    /// What BUILD gives the object.
    var state: Reference?
    /// What is added to the object as to a dictionary.
    var entries: [Entry] = []
    /// What is added to the object as to a list or a set.
    var elements: [Reference] = []
  }

  private(set) var nodes: [Node] = []

  subscript(reference: Reference) -> Node { nodes[reference.index] }

  /// More nodes than any saved model has; each takes some 50 bytes.
  static let maxNodes = 4_000_000

  /// Nil where there are as many nodes as there may be.
  mutating func add(_ node: Node) -> Reference? {
    guard nodes.count < Self.maxNodes else { return nil }
    nodes.append(node)
    return Reference(index: nodes.count - 1)
  }

  /// Changes a node in place; false where `change` refuses it.
  mutating func change(_ reference: Reference, _ change: (inout Node) -> Bool) -> Bool {
    // Taken out of the array, the node's own array has one owner and is not copied.
    var node = nodes[reference.index]
    nodes[reference.index] = .none
    let isChanged = change(&node)
    nodes[reference.index] = node
    return isChanged
  }
}

extension PickleGraph {
  func text(_ reference: Reference) -> String? {
    guard case .text(let bytes) = self[reference] else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  func int(_ reference: Reference) -> Int? {
    guard case .int(let value) = self[reference] else { return nil }
    return value
  }

  /// The elements of a tuple or a list.
  func elements(_ reference: Reference) -> [Reference]? {
    switch self[reference] {
    case .tuple(let elements), .list(let elements): return elements
    case .call(let call):
      // torch.Size((2, 3))
      guard isGlobal(call.function, ["torch"], "Size"), let arguments = elements(call.arguments),
        arguments.count == 1, case .tuple(let sizes) = self[arguments[0]]
      else { return nil }
      return sizes
    case .none, .bool, .int, .largeInt, .float, .text, .bytes, .set, .dictionary, .global,
      .persistent:
      return nil
    }
  }

  /// The elements of a tuple or a list of whole numbers.
  func ints(_ reference: Reference) -> [Int]? {
    guard let elements = elements(reference) else { return nil }
    let ints = elements.compactMap { int($0) }
    return ints.count == elements.count ? ints : nil
  }

  /// The entries of a dictionary, an OrderedDict, or another object that is filled like one; nil of anything else.
  func entries(_ reference: Reference) -> [Entry]? {
    switch self[reference] {
    case .dictionary(let entries): return entries
    case .call(let call):
      guard isGlobal(call.function, ["collections"], "OrderedDict") else {
        let isDictionary =
          isGlobal(call.function, ["collections"], "defaultdict") || !call.entries.isEmpty
        return isDictionary ? call.entries : nil
      }
      // Python 2 gives an OrderedDict its entries as an argument: a list of pairs.
      guard let arguments = elements(call.arguments), let first = arguments.first,
        let pairs = elements(first)
      else { return call.entries }
      let given = pairs.compactMap { pair -> Entry? in
        guard let pair = elements(pair), pair.count == 2 else { return nil }
        return Entry(key: pair[0], value: pair[1])
      }
      return given + call.entries
    case .none, .bool, .int, .largeInt, .float, .text, .bytes, .tuple, .list, .set, .global,
      .persistent:
      return nil
    }
  }

  /// The value at a text key; the last one where there are several, as in Python.
  func value(_ key: String, of reference: Reference) -> Reference? {
    entries(reference)?.last { text($0.key) == key }?.value
  }

  func isGlobal(_ reference: Reference, _ modules: [String], _ name: String) -> Bool {
    guard case .global(let module, name) = self[reference] else { return false }
    return modules.contains(module)
  }

  /// `module.name` of a function or a class.
  func globalName(_ reference: Reference) -> String? {
    guard case .global(let module, let name) = self[reference] else { return nil }
    return "\(module).\(name)"
  }
}
