import ModelFormat

/// The legacy format of `torch.save`, the default before PyTorch 1.6: five pickles one after another (a magic number, a
/// version, the machine, the object, the keys of its storages), then the storages' elements.
struct LegacyFile {
  let graph: PickleGraph
  let root: PickleGraph.Reference
  let isBigEndian: Bool
  /// The byte range of each storage.
  private(set) var records: [String: Range<Int>] = [:]

  init(_ bytes: [UInt8]) throws(PickleError) {
    let magic = try PickleMachine.load(bytes)
    let version = try PickleMachine.load(bytes, at: magic.end)
    let machine = try PickleMachine.load(bytes, at: version.end)
    if let isLittle = machine.graph.value("little_endian", of: machine.root),
      case .bool(false) = machine.graph[isLittle]
    {
      isBigEndian = true
    } else {
      isBigEndian = false
    }
    let object = try PickleMachine.load(bytes, at: machine.end)
    graph = object.graph
    root = object.root
    let keys = try PickleMachine.load(bytes, at: object.end)
    var sizes: [String: Int] = [:]
    for node in graph.nodes {
      guard case .persistent(let id) = node, let record = StorageRecord(id, in: graph) else {
        continue
      }
      sizes[record.key] = Self.elementSize(record.type)
    }
    var cursor = PickleCursor(bytes, at: keys.end)
    for key in keys.graph.elements(keys.root) ?? [] {
      guard let key = keys.graph.text(key) ?? keys.graph.int(key).map({ "\($0)" }) else { continue }
      var word = try cursor.take(8)
      if isBigEndian { word = ArraySlice(word.reversed()) }
      let count = word.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      let (size, overflow) = (Int(exactly: count) ?? -1).multipliedReportingOverflow(
        by: sizes[key] ?? 1)
      let data = try cursor.take(overflow ? -1 : size)
      records[key] = data.indices
    }
  }

  private static func elementSize(_ type: String) -> Int {
    if let type = ElementType(torch: type) { return max(1, type.bits / 8) }
    switch type {
    case "ComplexDoubleStorage": return 16
    case "QInt32Storage": return 4
    default: return 1
    }
  }
}

/// A storage that was pickled by itself, as a legacy file.
struct NestedStorage {
  let type: String
  let bytes: ArraySlice<UInt8>

  /// Nil if the bytes at `reference` are no such file.
  init?(_ graph: PickleGraph, _ reference: PickleGraph.Reference) {
    guard let content = graph.bytes(reference), let file = try? LegacyFile(content),
      case .persistent(let id) = file.graph[file.root],
      let record = StorageRecord(id, in: file.graph), let range = file.records[record.key],
      !file.isBigEndian
    else { return nil }
    type = record.type
    bytes = content[range]
  }
}
