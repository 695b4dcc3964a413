import ModelFormat

/// The weights of an exported program, by their names in its signature.
struct ExportedWeights {
  private let file: String
  private let records: ZipRecords
  /// Of all of them together.
  let maxElements: Int
  private var tensors: [String: Entry] = [:]

  private enum Entry {
    /// A record of the archive with raw elements.
    case raw(String, StridedTensor)
    /// A tensor in a file of `torch.save` within the archive.
    case saved(TorchFile, StridedTensor)
  }

  /// - Parameter program: the name of the program's record.
  init(_ source: SourceFile, _ records: ZipRecords, program: String) throws(ImportError) {
    file = source.path
    self.records = records
    maxElements = WeightTable.maxElements(fileBytes: source.bytes.count)
    let isBigEndian: Bool
    if records.names.contains("byteorder") {
      isBigEndian = try records.content("byteorder").elementsEqual("big".utf8)
    } else {
      isBigEndian = false
    }
    let model = program.split(separator: "/").last.map { $0.dropLast(".json".count) } ?? "model"
    for (folder, config) in [
      ("data/weights/", "_weights_config.json"), ("data/constants/", "_constants_config.json"),
    ] {
      let name = "\(folder)\(model)\(config)"
      if records.names.contains(name) { try readConfiguration(name, folder: folder, isBigEndian) }
    }
    // PyTorch up to 2.7 has files of torch.save, whatever their extensions.
    for name in ["serialized_state_dict", "serialized_constants"] {
      for record in ["\(name).pt", "\(name).json"] where records.names.contains(record) {
        let bytes = try records.content(record)
        guard !bytes.isEmpty else { continue }
        let saved = try TorchFile(SourceFile(path: source.path, bytes: bytes))
        let state = StateDict(
          PickledTensors(saved.graph, isBigEndian: saved.isBigEndian), root: saved.root)
        for (name, tensor) in state.tensors { tensors[name] = .saved(saved, tensor) }
      }
    }
  }

  private mutating func readConfiguration(
    _ record: String, folder: String, _ isBigEndian: Bool
  ) throws(ImportError) {
    let value = try ExportedValue(records, record)
    for (name, entry) in value["config"]?.members ?? [] {
      guard let path = entry["path_name"]?.text else { continue }
      if entry["use_pickle"]?.isTrue ?? false {
        let saved = try TorchFile(SourceFile(path: file, bytes: try records.content(folder + path)))
        let pickled = PickledTensors(saved.graph, isBigEndian: saved.isBigEndian)
        if case .tensor(let tensor)? = pickled.finding(saved.root) {
          tensors[name] = .saved(saved, tensor)
        }
        continue
      }
      guard let meta = entry["tensor_meta"],
        let type = meta["dtype"]?.int.flatMap({ Self.type($0) })
      else {
        continue
      }
      func sizes(_ key: String) -> [Int] {
        (meta[key]?.elements ?? []).compactMap { $0["as_int"]?.int }
      }
      var tensor = StridedTensor(
        type, shape: sizes("sizes"), strides: sizes("strides"),
        offset: meta["storage_offset"]?["as_int"]?.int ?? 0,
        storage: .record(path))
      tensor.isBigEndian = isBigEndian
      tensors[name] = .raw(folder + path, tensor)
    }
  }

  /// The element type for a number, which is PyTorch's plus one.
  private static func type(_ number: Int) -> ElementType? {
    let types: [ElementType?] = [
      nil, .u8, .i8, .i16, .i32, .i64, .f16, .f32, .f64, nil, nil, nil, .bool, .bf16,
    ]
    return types.indices.contains(number) ? types[number] : nil
  }

  func constant(_ name: String) throws(ImportError) -> SourceConstant {
    guard let entry = tensors[name] else {
      throw ImportError(
        file: file, place: name, problem: "found no weights of that name in the archive")
    }
    let tensor: StridedTensor
    switch entry {
    case .raw(_, let found), .saved(_, let found): tensor = found
    }
    guard let count = tensor.elementCount, count <= maxElements else {
      throw ImportError(file: file, place: name, problem: "found a shape of \(tensor.shape)")
    }
    let records = records
    return tensor.constant(name: name) { () throws(ImportError) in
      switch entry {
      case .raw(let record, _): return try records.content(record)[...]
      case .saved(let saved, _): return try saved.bytes(of: tensor.storage)
      }
    }
  }
}
