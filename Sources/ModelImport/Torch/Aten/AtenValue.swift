/// An argument or a result of PyTorch's operators.
indirect enum AtenValue {
  case tensor(AtenTensor)
  case int(Int)
  case float(Double)
  case bool(Bool)
  case none
  case text(String)
  /// A list or a tuple.
  case list([AtenValue])
  /// A dictionary with texts as keys, in the order of the code.
  case dictionary([(key: String, value: AtenValue)])
  /// A packed sequence, and its lengths.
  case packed(AtenTensor, lengths: AtenValue, isBatchFirst: Bool)
  /// The batch sizes of a packed sequence: for each step, the number of sequences that have it.
  case batchSizes(AtenTensor, isBatchFirst: Bool)
  /// A permutation of a batch's sequences.
  case permutation
  /// A value that no operator here uses: a device, a layout, a generator, or an object of the module.
  case other(String)
}

extension AtenValue {
  /// The tensor, or the tensors of a list in order; nil if there is anything else.
  var tensors: [AtenTensor]? { tensors(depth: 0) }

  private func tensors(depth: Int) -> [AtenTensor]? {
    switch self {
    case .tensor(let tensor): return [tensor]
    case .none: return []
    case .dictionary(let entries):
      return AtenValue.list(entries.map(\.value)).tensors(depth: depth)
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
  /// The number of axes; nil if unknown.
  var rank: Int?
  /// Whether it holds whole numbers.
  var isWhole = false
  /// Whether it is a Python number that is known when the model runs, such as a size.
  var isNumber = false
  /// What tells tensors apart whose value is the same: see AtenStorage.
  var storage = 0
}

/// A call of an operator: `torch.linear(x, weight, bias)`.
struct AtenCall {
  /// The operator's name without its overload: `linear`.
  let name: String
  private let positional: [AtenValue]
  private let named: [String: AtenValue]
  /// The place of the call, for errors.
  let place: String
  /// The path of the module with the call: `encoder.rnn`; empty for the model itself.
  let module: String
  /// The number of values into which the caller unpacks the result; nil if it does not.
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

  /// The call with other arguments.
  func mapping(
    _ change: (AtenValue) throws(ImportError) -> AtenValue
  ) throws(ImportError) -> AtenCall {
    var (changed, others) = (positional, named)
    for index in positional.indices { changed[index] = try change(positional[index]) }
    for name in named.keys.sorted() {
      if let value = named[name] { others[name] = try change(value) }
    }
    return AtenCall(
      name, changed, others, place: place, module: module, resultCount: resultCount)
  }

  /// The name of the result: the module's path, or the operator's name for the model itself.
  var label: String { module.isEmpty ? name : module }

  /// The name of a node, in the style of PyTorch's ONNX exporter.
  var nodeName: String {
    module.isEmpty ? name : "/\(module.split(separator: ".").joined(separator: "/"))/\(name)"
  }

  /// The argument at an index or with a name; nil if omitted.
  func value(_ index: Int, _ name: String = "") -> AtenValue? {
    if index >= 0, index < positional.count { return positional[index] }
    return named[name]
  }

  func tensor(_ index: Int, _ name: String = "") throws(ImportError) -> AtenTensor {
    guard case .tensor(let tensor)? = value(index, name) else {
      if case .other(let what)? = value(index, name) {
        throw failure(
          "\(what) as argument \(index)", because: "it needs a tensor that is carried",
          instead: what == AtenAttention.weights ? Remedy.attentionWeights : nil)
      }
      throw failure("no tensor as argument \(index)", because: "it needs one")
    }
    return tensor
  }

  /// A tensor; nil if the argument is None or omitted.
  func optionalTensor(_ index: Int, _ name: String = "") -> AtenTensor? {
    if case .tensor(let tensor)? = value(index, name) { tensor } else { nil }
  }

  func int(_ index: Int, _ name: String = "", default fallback: Int? = nil) throws(ImportError)
    -> Int
  {
    switch value(index, name) {
    case .int(let value)?: return SourceTensor.integer(value)
    case .bool(let value)?: return value ? 1 : 0
    case .float(let value)?:
      if let whole = Int(exactly: value) { return SourceTensor.integer(whole) }
    case nil, .some(.none): if let fallback { return fallback }
    default: break
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
    case nil, .some(.none): if let fallback { return fallback }
    default: break
    }
    throw failure("no number as argument \(index)", because: "it must be known from the file")
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

  /// The elements of a list; nil if the argument is not one.
  func list(_ index: Int, _ name: String = "") -> [AtenValue]? {
    if case .list(let values)? = value(index, name) { values } else { nil }
  }

  /// Known whole numbers, a list or a single one; nil if the argument is omitted or None.
  func ints(_ index: Int, _ name: String = "") throws(ImportError) -> [Int]? {
    switch value(index, name) {
    case .int(let value)?: return [SourceTensor.integer(value)]
    case .list(let values)?:
      let ints = values.compactMap { value in
        if case .int(let int) = value { SourceTensor.integer(int) } else { nil }
      }
      guard ints.count == values.count else {
        throw failure(
          "sizes that depend on the input", because: "they must be known from the file",
          instead: Remedy.knownSizes)
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

  /// The error that a call can't be imported.
  func failure(_ found: String, because reason: String, instead remedy: String? = nil)
    -> ImportError
  {
    ImportError(
      file: "", place: place, problem: "found \(name) with \(found): \(reason)", remedy: remedy)
  }
}
