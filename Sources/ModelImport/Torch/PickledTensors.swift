import ModelFormat
import NumPyFormat

/// Finds the tensors among a pickle's objects, by the functions that would make them.
struct PickledTensors {
  let graph: PickleGraph
  /// Whether the file's storages are big-endian.
  let isBigEndian: Bool
  /// The class of each storage that is pickled by itself, by its bytes.
  private let nestedTypes: [PickleGraph.Reference: String]

  init(_ graph: PickleGraph, isBigEndian: Bool = false) {
    self.graph = graph
    self.isBigEndian = isBigEndian
    var types: [PickleGraph.Reference: String] = [:]
    for node in graph.nodes {
      guard case .call(let call) = node,
        graph.isGlobal(call.function, ["torch.storage"], "_load_from_bytes"),
        let content = graph.elements(call.arguments)?.first, types[content] == nil,
        let nested = NestedStorage(graph, content)
      else { continue }
      types[content] = nested.type
    }
    nestedTypes = types
  }

  /// The name of a class. The legacy format has a module's class, with its source, behind a persistent id:
  /// `('module', class, file, source)`.
  func className(_ reference: PickleGraph.Reference) -> String? {
    guard case .persistent(let id) = graph[reference] else { return graph.globalName(reference) }
    guard let parts = graph.elements(id), parts.count > 1, graph.text(parts[0]) == "module" else {
      return nil
    }
    return graph.globalName(parts[1])
  }

  /// The class that a call makes an object of: `copyreg.__newobj__`, or `_reconstructor`, has it as its first argument, and so has
  /// `getattr(class, name)`, where a method of the class makes the object.
  func className(of call: PickleGraph.Call) -> String? {
    var call = call
    if case .call(let function) = graph[call.function],
      graph.isGlobal(function.function, ["builtins", "__builtin__"], "getattr")
    {
      call = function
    } else {
      guard let name = className(call.function) else { return nil }
      guard name.hasPrefix("copyreg.") || name.hasPrefix("copy_reg.") else { return name }
    }
    return graph.elements(call.arguments)?.first.flatMap { className($0) }
  }

  /// The class of a module that was saved whole; nil for other objects.
  func moduleClass(_ reference: PickleGraph.Reference) -> String? {
    guard case .call(let call) = graph[reference], let state = call.state,
      // What trains modules may have a list of their names, as skorch does.
      graph.value("_parameters", of: state) != nil, graph.value("_modules", of: state) != nil
    else { return nil }
    return className(call.function)
  }

  /// The reason for arrays of texts and the like.
  static let noNumbers = "an array of NumPy's of another type than numbers"

  /// The result of examining an object.
  enum Finding {
    case tensor(StridedTensor)
    /// A tensor that can't be read, and why.
    case unreadable(String)
    /// A quantised tensor, or the packed weights of a quantised module.
    case quantised
  }

  /// Nil if the object is not a tensor.
  func finding(_ reference: PickleGraph.Reference) -> Finding? {
    // A parameter has a tensor, a subclass of a tensor a call that makes one; some may be nested.
    var reference = reference
    for _ in 0..<8 {
      guard case .call(let call) = graph[reference], let name = graph.globalName(call.function)
      else { return nil }
      let arguments = graph.elements(call.arguments) ?? []
      switch name {
      case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
        guard let data = arguments.first else { return nil }
        reference = data
      case "torch._tensor._rebuild_from_type_v2", "torch._tensor._rebuild_from_type":
        guard arguments.count >= 3, let inner = inner(arguments) else { return nil }
        return inner
      case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_tensor_v3":
        return tensor(arguments)
      case "torch._utils._rebuild_qtensor", "torch.ScriptObject": return .quantised
      case "torch._utils._rebuild_device_tensor_from_numpy",
        "torch._utils._rebuild_device_tensor_from_cpu_tensor":
        guard let data = arguments.first else { return nil }
        reference = data
      case "torch._utils._rebuild_sparse_tensor", "torch._utils._rebuild_sparse_csr_tensor":
        return .unreadable("a sparse tensor; tensor.to_dense() makes it one that can be read")
      case "torch._utils._rebuild_nested_tensor": return .unreadable("a nested tensor")
      case "torch._utils._rebuild_meta_tensor_no_storage":
        return .unreadable("a tensor on the meta device, which has no numbers")
      case "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct":
        return objects(in: reference) == nil ? array(state: call.state) : nil
      case "jax._src.array._reconstruct_array":
        // (function, arguments, state, …) of the NumPy array with its numbers.
        return array(state: arguments.dropFirst(2).first)
      case "numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer":
        return arrayFromBuffer(arguments)
      default:
        return name.hasPrefix("__torch__.torch.classes.quantized.")
          || name.hasPrefix("__torch__.torch.classes.rnn.") ? .quantised : nil
      }
    }
    return nil
  }

  /// The objects in an array of objects, which `numpy.save` makes of a dictionary, or of a list of arrays; nil for other objects.
  func objects(in reference: PickleGraph.Reference) -> [PickleGraph.Reference]? {
    guard case .call(let call) = graph[reference],
      graph.globalName(call.function)?.hasSuffix("multiarray._reconstruct") ?? false,
      let state = call.state.flatMap({ graph.elements($0) }), state.count >= 5,
      case .list(let elements) = graph[state[4]]
    else { return nil }
    return elements
  }

  // MARK: PyTorch

  /// `_rebuild_from_type_v2(function, type, arguments, state)`, for subclasses of tensors.
  private func inner(_ arguments: [PickleGraph.Reference]) -> Finding? {
    guard let function = graph.globalName(arguments[0]), let inner = graph.elements(arguments[2])
    else { return nil }
    return function.hasPrefix("torch._utils._rebuild_tensor") ? tensor(inner) : nil
  }

  /// `_rebuild_tensor_v2(storage, offset, size, stride, …)`; version 3 adds the type as a seventh argument.
  private func tensor(_ arguments: [PickleGraph.Reference]) -> Finding? {
    guard arguments.count >= 4, let offset = graph.int(arguments[1]),
      let shape = sizes(arguments[2]), let strides = sizes(arguments[3]),
      let (storage, storageType, start) = storage(arguments[0])
    else { return .unreadable("a tensor that is saved in a form that is not known") }
    if storageType.hasPrefix("Q") { return .quantised }
    var typeName = storageType
    if storageType == "UntypedStorage" {
      let named = arguments.lazy.compactMap { graph.globalName($0) }
        .first { $0.hasPrefix("torch.") }
      if let named { typeName = String(named.dropFirst("torch.".count)) }
    }
    guard let type = ElementType(torch: typeName), type.floatConversion != nil else {
      return .unreadable("a tensor of \(typeName)")
    }
    let (first, overflow) = offset.addingReportingOverflow(start)
    guard !overflow else { return .unreadable("a tensor outside of its storage") }
    var tensor = StridedTensor(
      type, shape: shape, strides: strides, offset: first, storage: storage)
    tensor.isBigEndian = isBigEndian
    return .tensor(tensor)
  }

  /// A storage: its identity, the name of its class without module, and the start of a view.
  private func storage(
    _ reference: PickleGraph.Reference
  ) -> (storage: StridedTensor.Storage, type: String, start: Int)? {
    switch graph[reference] {
    case .persistent(let id):
      guard let record = StorageRecord(id, in: graph) else { return nil }
      return (.record(record.key), record.type, record.viewStart)
    case .call(let call):
      let name = graph.globalName(call.function)
      let arguments = graph.elements(call.arguments) ?? []
      guard name == "torch.storage._load_from_bytes", let content = arguments.first,
        let type = nestedTypes[content]
      else { return nil }
      return (.nestedFile(content), type, 0)
    case .none, .bool, .int, .largeInt, .float, .text, .bytes, .tuple, .list, .set, .dictionary,
      .global:
      return nil
    }
  }

  // MARK: NumPy

  /// `_reconstruct(ndarray, (0,), b'b')` with the state (version, shape, dtype, is_fortran, data).
  private func array(state: PickleGraph.Reference?) -> Finding? {
    guard let state = state.flatMap({ graph.elements($0) }), state.count >= 5,
      let shape = sizes(state[1])
    else { return .unreadable("an array of NumPy's without its numbers") }
    guard let (type, isBigEndian) = dtype(state[2]) else {
      return .unreadable(Self.noNumbers)
    }
    var isFortran = false
    if case .bool(true) = graph[state[3]] { isFortran = true }
    if graph.int(state[3]) == 1 { isFortran = true }
    guard let bytes = bytesReference(state[4]) else {
      return .unreadable("an array of NumPy's without its numbers")
    }
    return .tensor(
      StridedTensor(
        type, shape: shape, isFortran: isFortran, storage: .bytes(bytes), isBigEndian: isBigEndian))
  }

  /// `_frombuffer(buffer, dtype, shape, order)`, in protocol 5.
  private func arrayFromBuffer(_ arguments: [PickleGraph.Reference]) -> Finding? {
    guard arguments.count >= 4, let bytes = bytesReference(arguments[0]),
      let (type, isBigEndian) = dtype(arguments[1]), let shape = sizes(arguments[2])
    else { return .unreadable(Self.noNumbers) }
    return .tensor(
      StridedTensor(
        type, shape: shape, isFortran: graph.text(arguments[3]) == "F", storage: .bytes(bytes),
        isBigEndian: isBigEndian))
  }

  /// `numpy.dtype('f4', …)` with the state (3, '<', …), whose second element is the byte order.
  private func dtype(
    _ reference: PickleGraph.Reference
  ) -> (type: ElementType, isBigEndian: Bool)? {
    guard case .call(let call) = graph[reference],
      graph.isGlobal(call.function, ["numpy"], "dtype"),
      let name = graph.elements(call.arguments)?.first.flatMap({ graph.text($0) })
    else { return nil }
    let order = call.state.flatMap { graph.elements($0) }?.dropFirst().first
    let isBigEndian = order.flatMap { graph.text($0) } == ">" || name.hasPrefix(">")
    let kind = name.drop { "<>=|".contains($0) }
    let type = ElementType(numpy: "<\(kind)") ?? ElementType(numpy: "|\(kind)")
    return type.map { ($0, isBigEndian) }
  }

  /// A shape, or strides.
  private func sizes(_ reference: PickleGraph.Reference) -> [Int]? {
    guard let elements = graph.elements(reference), elements.count <= StridedTensor.maxAxes else {
      return nil
    }
    return graph.ints(reference)
  }

  /// The bytes of an object: bytes, a Python 2 string, or a call of `_codecs.encode`.
  private func bytesReference(_ reference: PickleGraph.Reference) -> PickleGraph.Reference? {
    switch graph[reference] {
    case .bytes, .text: return reference
    case .call(let call):
      guard
        graph.isGlobal(call.function, ["_codecs"], "encode")
          || graph.isGlobal(call.function, ["builtins", "__builtin__"], "bytearray")
          || graph.isGlobal(call.function, ["builtins", "__builtin__"], "bytes")
      else { return nil }
      return reference
    case .none, .bool, .int, .largeInt, .float, .tuple, .list, .set, .dictionary, .global,
      .persistent:
      return nil
    }
  }
}

extension PickleGraph {
  /// The bytes of an object; nil if it has none.
  func bytes(_ reference: Reference, depth: Int = 0) -> [UInt8]? {
    switch self[reference] {
    case .bytes(let bytes), .text(let bytes): return bytes
    case .call(let call):
      guard depth < 4, let arguments = elements(call.arguments) else { return nil }
      guard let first = arguments.first else { return [] }
      if isGlobal(call.function, ["_codecs"], "encode") {
        guard case .text(let text) = self[first] else { return nil }
        return arguments.count == 1 || self.text(arguments[1]) != "latin1"
          ? text : PickleText.latin1(text)
      }
      return bytes(first, depth: depth + 1)
    case .none, .bool, .int, .largeInt, .float, .tuple, .list, .set, .dictionary, .global,
      .persistent:
      return nil
    }
  }
}

/// The persistent id of a storage: `('storage', class, key, location, elements)`, in the legacy format followed by a view,
/// `(key, start, elements)`.
struct StorageRecord {
  let key: String
  /// The name of the storage's class, without its module.
  let type: String
  /// The start of a view of the storage, in elements.
  var viewStart = 0

  init?(_ id: PickleGraph.Reference, in graph: PickleGraph) {
    guard let parts = graph.elements(id), parts.count >= 5, graph.text(parts[0]) == "storage",
      let key = graph.text(parts[2]) ?? graph.int(parts[2]).map({ "\($0)" }),
      case .global(_, let type) = graph[parts[1]]
    else { return nil }
    self.key = key
    self.type = type
    if parts.count > 5, let view = graph.elements(parts[5]), view.count == 3,
      let start = graph.int(view[1])
    {
      viewStart = start
    }
  }
}
