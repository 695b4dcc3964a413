import ModelFormat
import NumPyFormat

/// A file of `torch.save`, TorchScript or `pickle.dump`: the objects of its pickle, and its storages.
struct TorchFile {
  let path: String
  let graph: PickleGraph
  let root: PickleGraph.Reference
  let isBigEndian: Bool
  private let storages: Storages

  private enum Storages {
    /// Records with this prefix.
    case zip(ZipRecords, String)
    case legacy([UInt8], [String: Range<Int>])
    case none
  }

  init(_ file: SourceFile) throws(ImportError) {
    if ZipArchive.isZip(file.bytes) {
      self = try TorchFile(try ZipRecords(file), pickle: "data.pkl", storages: "data/")
      return
    }
    path = file.path
    do throws(PickleError) {
      guard ForeignFile(file.bytes.span) == .torchPickle else {
        let start = Self.pickledObjects(in: file.bytes) ?? 0
        (graph, root, _) = try PickleMachine.load(
          start == 0 ? file.bytes : Array(file.bytes[start...]))
        isBigEndian = false
        storages = .none
        return
      }
      let legacy = try LegacyFile(file.bytes)
      (graph, root) = (legacy.graph, legacy.root)
      isBigEndian = legacy.isBigEndian
      storages = .legacy(file.bytes, legacy.records)
    } catch {
      throw ImportError(file: file.path, error)
    }
  }

  /// Whether `torch.save` wrote the file, not `pickle.dump`.
  var isOfTorch: Bool { if case .none = storages { false } else { true } }

  /// The offset of the pickle in a file of `numpy.save` with Python objects, such as a dictionary; nil for other files.
  static func pickledObjects(in bytes: [UInt8]) -> Int? {
    guard ForeignFile(bytes.span) == .npy, bytes.count > 12 else { return nil }
    let isShort = bytes[6] == 1
    let length = (0..<(isShort ? 2 : 4)).reduce(0) { $0 | Int(bytes[8 + $1]) << (8 * $1) }
    let start = (isShort ? 10 : 12) + length
    guard start < bytes.count else { return nil }
    let header = String(decoding: bytes[..<start], as: UTF8.self)
    return header.contains("'|O'") ? start : nil
  }

  /// A pickle of an archive, with the records of its storages.
  init(_ records: ZipRecords, pickle: String, storages: String) throws(ImportError) {
    path = records.path
    let bytes = try records.content(pickle)
    do { (graph, root, _) = try PickleMachine.load(bytes) } catch {
      throw ImportError(file: records.path, error, in: pickle)
    }
    if records.names.contains("byteorder") {
      isBigEndian = try records.content("byteorder").elementsEqual("big".utf8)
    } else {
      isBigEndian = false
    }
    self.storages = .zip(records, storages)
  }

  /// The bytes of a storage; nil if the file has no such storage.
  func bytes(of storage: StridedTensor.Storage) throws(ImportError) -> ArraySlice<UInt8>? {
    switch storage {
    case .bytes(let reference): return graph.bytes(reference)?[...]
    case .nestedFile(let reference): return NestedStorage(graph, reference)?.bytes
    case .record(let key):
      switch storages {
      case .zip(let records, let folder):
        guard records.names.contains(folder + key) else { return nil }
        return try records.content(folder + key)[...]
      case .legacy(let bytes, let records): return records[key].map { bytes[$0] }
      case .none: return nil
      }
    }
  }
}

/// The records of PyTorch's zip archive, with names relative to the top folder.
struct ZipRecords {
  let path: String
  private let archive: ZipArchive
  private let places: [String: Int]
  /// The most bytes of inflated records. Weights are stored uncompressed.
  private let inflatedLimit: Int

  var names: Dictionary<String, Int>.Keys { places.keys }

  init(_ file: SourceFile) throws(ImportError) {
    path = file.path
    do { archive = try ZipArchive(file.bytes) } catch {
      throw ImportError(file: file.path, error)
    }
    let folder = archive.names.first.flatMap { $0.split(separator: "/").first }.map { "\($0)/" }
    var places: [String: Int] = [:]
    for (place, name) in archive.names.enumerated() {
      guard let folder, name.hasPrefix(folder) else {
        places[name] = place
        continue
      }
      places[String(name.dropFirst(folder.count))] = place
    }
    self.places = places
    inflatedLimit = file.bytes.count.multipliedReportingOverflow(by: 64).partialValue + (1 << 24)
  }

  func content(_ name: String) throws(ImportError) -> [UInt8] {
    guard let place = places[name] else {
      throw ImportError(
        file: path, problem: "found no \(name) in the archive",
        remedy: "torch.save(model.state_dict(), 'weights.pt') writes one that has it")
    }
    guard archive.size(at: place) <= inflatedLimit else {
      throw ImportError(
        file: path, place: name,
        problem:
          "found \(archive.size(at: place)) bytes when inflated, expected at most \(inflatedLimit) of an archive of this size"
      )
    }
    do { return try archive.content(at: place) } catch { throw ImportError(file: path, error) }
  }
}

extension ImportError {
  init(file: String, _ error: PickleError, in record: String? = nil) {
    let place = record.map { "\($0), byte \(error.offset)" } ?? "byte \(error.offset)"
    self.init(
      file: file, place: place, problem: "not a pickle that Carousel reads: \(error.problem)",
      remedy: error.problem == .truncated
        ? Remedy.incomplete : "torch.save(model.state_dict(), 'weights.pt') writes one")
  }
}
