import JSON

/// An activation of a recurrent cell: an elementwise op with its attributes.
package struct CellActivation: Sendable, Equatable {
  /// One op for both directions, or two: forward, then reverse.
  package let ops: [ModelDescription.Op]

  package init(_ op: ModelDescription.Op) { ops = [op] }

  package init(forward: ModelDescription.Op, reverse: ModelDescription.Op) {
    ops = [forward, reverse]
  }

  private init(ops: [ModelDescription.Op]) { self.ops = ops }

  /// The op of a direction, 0 or 1.
  package subscript(direction: Int) -> ModelDescription.Op {
    ops[Swift.min(direction, ops.count - 1)]
  }

  /// The ops that a cell may have, in FORMAT.md's order.
  package static let known: [ModelDescription.Op] = [
    .sigmoid, .tanh, .relu, .hardSigmoid(), .hardTanh, .silu, .leakyReLU(), .thresholdedReLU(),
    .elu(), .selu, .softplus(), .scaledTanh(), .exp, .softsign, .affine(scale: nil, shift: nil),
  ]
}

extension CellActivation {
  /// Reads a name, an object with the op's name and attributes, or an array of one of these for each direction.
  fileprivate init(_ field: JSONField) throws(ModelError) {
    guard case .array = field.value else {
      self.init(ops: [try Self.op(field)])
      return
    }
    let elements = try field.array()
    guard elements.count == 2 else {
      throw .unexpected(
        path: field.path, found: "\(elements.count) activations",
        expected: "one, or two in an array: forward and reverse")
    }
    self.init(ops: [try Self.op(elements[0]), try Self.op(elements[1])])
  }

  private static func op(_ field: JSONField) throws(ModelError) -> ModelDescription.Op {
    switch field.value {
    case .string: return try op(named: field)
    case .object:
      let name = try field.object().required("op", expected: "the name of an activation")
      var op = try op(named: name)
      try op.read(try field.object(known: ["op"] + op.attributeKeys))
      return op
    default:
      throw field.unexpected(
        "an activation: a name, or an object of its \"op\" and attributes")
    }
  }

  private static func op(named field: JSONField) throws(ModelError) -> ModelDescription.Op {
    let name = try field.string()
    guard let op = known.first(where: { $0.name == name }) else {
      throw field.unexpected("an activation: \(known.map(\.name).joined(separator: ", "))")
    }
    return op
  }

  fileprivate var json: String {
    let texts = ops.map { op in
      guard !Self.known.contains(op) else { return op.name.jsonText }
      let members = [(key: "op", json: op.name.jsonText)] + op.attributes
      return "{ \(members.map { "\($0.key.jsonText): \($0.json)" }.joined(separator: ", ")) }"
    }
    return texts.count == 1 ? texts[0] : "[\(texts.joined(separator: ", "))]"
  }

  fileprivate func check(path: String) throws(ModelError) {
    for (index, op) in ops.enumerated() {
      let path = ops.count == 1 ? path : "\(path)[\(index)]"
      try op.check(path: path)
      if op.definition is SoftplusOp, op != .softplus() {
        throw .unexpected(
          path: path, found: "another beta or threshold",
          expected: "softplus with a beta of 1 and a threshold of 20 in a cell")
      }
      guard let affine = op.definition as? AffineOp else { continue }
      for (key, numbers) in [("scale", affine.scale), ("shift", affine.shift)] {
        guard let numbers, numbers.count != 1 else { continue }
        throw .unexpected(
          path: "\(path).\(key)", found: "\(numbers.count) numbers", expected: "one number")
      }
    }
  }
}

extension OpAttribute {
  /// An optional activation; nil, if it is omitted, is the cell's default.
  static func activation(_ key: String, _ property: Property<CellActivation?>) -> OpAttribute {
    OpAttribute(key: key) { field, op throws(ModelError) in
      op[keyPath: property] = try CellActivation(field)
    } json: { op in
      op[keyPath: property]?.json
    } check: { op, path throws(ModelError) in
      try op[keyPath: property]?.check(path: path)
    }
  }
}
