/// What PyTorch's operators take and give.
indirect enum AtenValue {
  case tensor(AtenTensor)
  case int(Int)
  case float(Double)
  case bool(Bool)
  case none
  case text(String)
  /// A list or a tuple.
  case list([AtenValue])
  /// Sequences put together for a recurrent network, and the lengths that they have by themselves.
  case packed(AtenTensor, lengths: AtenValue, isBatchFirst: Bool)
  /// How many of packed sequences have a first step, a second and so on: it has as many elements as the longest has steps, and
  /// begins with the number of sequences.
  case batchSizes(AtenTensor, isBatchFirst: Bool)
  /// An order of the sequences of a batch.
  case permutation
  /// What no operator here reads: a device, a layout, a generator; or an object of the module.
  case other(String)
}

extension AtenValue {
  /// The tensor that it is, or those of a list in their order; nil where something else is among them.
  var tensors: [AtenTensor]? { tensors(depth: 0) }

  private func tensors(depth: Int) -> [AtenTensor]? {
    switch self {
    case .tensor(let tensor): return [tensor]
    case .none: return []
    case .list(let values):
      guard depth < 4 else { return nil }
      var all: [AtenTensor] = []
      for value in values {
        guard let tensors = value.tensors(depth: depth + 1) else { return nil }
        all += tensors
      }
      return all
    case .int, .float, .bool, .text, .packed, .batchSizes, .permutation, .other: return nil
    }
  }
}

/// A value of the source graph.
struct AtenTensor: Equatable {
  /// The value's name in the graph.
  var name: String
  /// How many axes it has; nil where that isn't known.
  var rank: Int?
  /// Whether it holds whole numbers.
  var isWhole = false
  /// Whether it is a number of Python's, known when the model runs: a size, say.
  var isNumber = false
}

/// A call of an operator: `torch.linear(x, weight, bias)`.
struct AtenCall {
  /// The operator's name without what tells its variants apart: `linear`.
  let name: String
  private let positional: [AtenValue]
  private let named: [String: AtenValue]
  /// Where the call stands, for errors.
  let place: String
  /// The module that it is a part of, by the names that lead to it: `encoder.rnn`. Empty of the model itself.
  let module: String
  /// How many values the caller takes the result apart into; nil where it takes it whole.
  var resultCount: Int?

  init(
    _ name: String, _ positional: [AtenValue], _ named: [String: AtenValue] = [:], place: String,
    module: String = "", resultCount: Int? = nil
  ) {
    self.name = name
    self.positional = positional
    self.named = named
    self.place = place
    self.module = module
    self.resultCount = resultCount
  }

  var count: Int { positional.count }

  /// What the result is called: as the module that has but this, or else as the operator.
  var label: String { module.isEmpty ? name : module }

  /// The name of a node, as PyTorch's exporter to ONNX makes them.
  var nodeName: String {
    module.isEmpty ? name : "/\(module.split(separator: ".").joined(separator: "/"))/\(name)"
  }

  /// The argument at a place, or by a name; nil where it is left out.
  func value(_ index: Int, _ name: String = "") -> AtenValue? {
    if index >= 0, index < positional.count { return positional[index] }
    return named[name]
  }

  func tensor(_ index: Int, _ name: String = "") throws(ImportError) -> AtenTensor {
    guard case .tensor(let tensor)? = value(index, name) else {
      throw failure("no tensor as argument \(index)", because: "it needs one")
    }
    return tensor
  }

  /// A tensor; nil where the argument is None or left out.
  func optionalTensor(_ index: Int, _ name: String = "") -> AtenTensor? {
    if case .tensor(let tensor)? = value(index, name) { tensor } else { nil }
  }

  func int(_ index: Int, _ name: String = "", default fallback: Int? = nil) throws(ImportError)
    -> Int
  {
    switch value(index, name) {
    case .int(let value)?: return SourceNode.bounded(value)
    case .bool(let value)?: return value ? 1 : 0
    case .float(let value)?: if let whole = Int(exactly: value) { return SourceNode.bounded(whole) }
    default: if let fallback { return fallback }
    }
    throw failure("no whole number as argument \(index)", because: "it must be known from the file")
  }

  func number(_ index: Int, _ name: String = "", default fallback: Double? = nil)
    throws(ImportError) -> Double
  {
    switch value(index, name) {
    case .int(let value)?: return Double(value)
    case .bool(let value)?: return value ? 1 : 0
    case .float(let value)?: return value
    default:
      if let fallback { return fallback }
      throw failure("no number as argument \(index)", because: "it must be known from the file")
    }
  }

  func bool(_ index: Int, _ name: String = "", default fallback: Bool = false) -> Bool {
    switch value(index, name) {
    case .bool(let value)?: value
    case .int(let value)?: value != 0
    default: fallback
    }
  }

  func text(_ index: Int, _ name: String = "") -> String? {
    if case .text(let text)? = value(index, name) { text } else { nil }
  }

  /// The elements of a list; nil where the argument is none.
  func list(_ index: Int, _ name: String = "") -> [AtenValue]? {
    if case .list(let values)? = value(index, name) { values } else { nil }
  }

  /// Whole numbers known from the file: a list, or one number; nil where the argument is left out or None.
  func ints(_ index: Int, _ name: String = "") throws(ImportError) -> [Int]? {
    switch value(index, name) {
    case .int(let value)?: return [SourceNode.bounded(value)]
    case .list(let values)?:
      let ints = values.compactMap { value in
        if case .int(let int) = value { SourceNode.bounded(int) } else { nil }
      }
      guard ints.count == values.count else {
        throw failure("sizes that depend on the input", because: "they must be known from the file")
      }
      return ints
    default: return nil
    }
  }

  /// The tensors of a list.
  func tensors(_ index: Int, _ name: String = "") throws(ImportError) -> [AtenTensor] {
    let tensors = (list(index, name) ?? []).compactMap { value in
      if case .tensor(let tensor) = value { tensor } else { nil }
    }
    guard tensors.count == list(index, name)?.count else {
      throw failure("no list of tensors as argument \(index)", because: "it needs one")
    }
    return tensors
  }

  /// Why a call isn't carried.
  func failure(_ found: String, because reason: String, instead remedy: String? = nil)
    -> ImportError
  {
    ImportError(
      file: "", place: place, problem: "found \(name) with \(found): \(reason)", remedy: remedy)
  }
}
