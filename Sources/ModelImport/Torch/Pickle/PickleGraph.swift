/// The objects that a pickle describes. A call of a function or a class is only recorded, with its arguments: reading a pickle
/// executes nothing.
struct PickleGraph {
  /// A reference to an object in the graph. References may be cyclic.
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
    /// UTF-8, or the bytes of a Python 2 string.
    case text([UInt8])
    case bytes([UInt8])
    case tuple([Reference])
    case list([Reference])
    case set([Reference])
    case dictionary([Entry])
    case global(module: String, name: String)
    case call(Call)
    /// A persistent id of something outside the pickle, such as a tensor's storage.
    case persistent(Reference)
  }

  /// A call that Python would make, and the changes to its result.
  struct Call {
    let function: Reference
    let arguments: Reference
    /// The state that BUILD sets.
    var state: Reference?
    /// Entries added as to a dictionary.
    var entries: [Entry] = []
    /// Elements added as to a list or a set.
    var elements: [Reference] = []
  }

  private(set) var nodes: [Node] = []

  subscript(reference: Reference) -> Node { nodes[reference.index] }

  /// A limit above the nodes of any saved model; each takes some 50 bytes.
  static let maxNodes = 4_000_000

  /// Adds a node; nil if there are `maxNodes`.
  mutating func add(_ node: Node) -> Reference? {
    guard nodes.count < Self.maxNodes else { return nil }
    nodes.append(node)
    return Reference(index: nodes.count - 1)
  }

  /// Changes a node in place; false if `change` refuses.
  mutating func change(_ reference: Reference, _ change: (inout Node) -> Bool) -> Bool {
    // The node is taken out of the array, so that its own array has one owner and is not copied.
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
    return SourceTensor.integer(value)
  }

  /// The elements of a tuple or a list.
  func elements(_ reference: Reference) -> [Reference]? {
    switch self[reference] {
    case .tuple(let elements), .list(let elements): return elements
    case .call(let call):
      // torch.Size((2, 3))
      guard isGlobal(call.function, ["torch"], "Size"),
        case .tuple(let arguments) = self[call.arguments], arguments.count == 1,
        case .tuple(let sizes) = self[arguments[0]]
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

  /// The entries of a dictionary, an OrderedDict, or another object filled like one; nil for anything else.
  func entries(_ reference: Reference) -> [Entry]? {
    switch self[reference] {
    case .dictionary(let entries): return entries
    case .call(let call):
      guard isGlobal(call.function, ["collections"], "OrderedDict") else {
        let isDictionary =
          isGlobal(call.function, ["collections"], "defaultdict") || !call.entries.isEmpty
        return isDictionary ? call.entries : nil
      }
      // Python 2 passes an OrderedDict's entries as an argument, a list of pairs.
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

  /// The value at a text key; of several, the last, as in Python.
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
