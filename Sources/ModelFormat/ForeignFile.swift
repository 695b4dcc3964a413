import Glibc

/// A common kind of file that is not a model folder, safetensors or JSON; recognised by its first bytes.
package enum ForeignFile: Sendable, Equatable, CaseIterable {
  /// HDF5: Keras's former format, .h5.
  case hdf5
  /// Keras 3's format, a zip archive.
  case keras
  /// A zip archive of `torch.save` or TorchScript: .pt, .pth, .bin, .ckpt.
  case torchZip
  /// The format of `torch.save` before PyTorch 1.6.
  case torchPickle
  /// Another pickle.
  case pickle
  case onnx
  case tensorFlowModel
  case tensorFlowLite
  case gguf
  /// A document of an office suite, a zip archive: .xlsx, .ods.
  case office
  case npz
  case npy
  case parquet
  /// Arrow's file format, also called Feather.
  case arrow
  case matlab
  case sqlite
  case zip
  case gzip
  case bzip2
  case xz
  case zstd
  case tar
  /// The pointer that a Git repository has for a file in Git LFS.
  case gitLFSPointer
  /// A web page, which a failed download may leave.
  case html

  /// Recognises a file by its first bytes; nil if they belong to none of these kinds. `bytes` has to begin where the
  /// file does.
  package init?(_ bytes: Span<UInt8>) {
    let head = Array(bytes.prefixBytes(Self.headBytes))
    guard let kind = Self.allCases.first(where: { $0.matches(head) }) else { return nil }
    self = kind
  }

  /// The kind of the file at `path`; nil if the file can't be read, is empty, or is of none of these kinds.
  init?(at path: String) {
    guard let file = try? OpenFile(path: path), file.size > 0, let mapping = try? file.map(),
      let kind = mapping.withBytes({ ForeignFile($0) })
    else { return nil }
    self = kind
  }

  /// The first file of a folder, by name, that has a model in another format.
  static func first(inFolder folder: String) -> (name: String, ForeignFile)? {
    Folder.names(in: folder).sorted().lazy.compactMap { name in
      ForeignFile(at: "\(folder)/\(name)").flatMap { $0.isModel ? (name, $0) : nil }
    }.first
  }

  /// The number of bytes that are examined.
  private static let headBytes = 4096

  /// Whether this kind of file is likely to hold a model's weights.
  private var isModel: Bool {
    switch self {
    case .hdf5, .keras, .torchZip, .torchPickle, .pickle, .onnx, .tensorFlowModel, .tensorFlowLite,
      .gguf, .npz, .gitLFSPointer:
      true
    case .office, .npy, .parquet, .arrow, .matlab, .sqlite, .zip, .gzip, .bzip2, .xz, .zstd, .tar,
      .html:
      false
    }
  }

  private func matches(_ head: [UInt8]) -> Bool {
    switch self {
    case .hdf5: return head.starts(with: [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A])
    case .keras:
      return ["metadata.json", "config.json", "model.weights.h5"].contains(
        ZipEntry(head)?.name ?? "")
    case .torchZip:
      guard let entry = ZipEntry(head) else { return false }
      return entry.hasTorchPadding || entry.name.hasSuffix("/data.pkl")
    // PyTorch's old format begins with this pickled integer.
    case .torchPickle:
      return Self.firstPickled(head)?.starts(
        with: [0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]) ?? false
    case .pickle: return Self.firstPickled(head) != nil
    case .onnx: return ProtocolBuffer(head).isONNX
    case .tensorFlowModel: return ProtocolBuffer(head).isSavedModel
    case .tensorFlowLite: return head.dropFirst(4).starts(with: "TFL3".utf8)
    case .gguf: return head.starts(with: "GGUF".utf8)
    case .office:
      return ["[Content_Types].xml", "_rels/.rels", "mimetype"].contains(ZipEntry(head)?.name ?? "")
    case .npz: return ZipEntry(head)?.name.hasSuffix(".npy") ?? false
    case .npy: return head.starts(with: [0x93]) && head.dropFirst().starts(with: "NUMPY".utf8)
    // Text may begin with these letters too, but not with a control character after them.
    case .parquet: return Self.starts(head, with: "PAR1")
    case .arrow: return Self.starts(head, with: "ARROW1") || Self.starts(head, with: "FEA1")
    case .matlab: return head.starts(with: "MATLAB ".utf8) && head.contains(0)
    case .sqlite: return head.starts(with: "SQLite format 3\0".utf8)
    case .zip: return ["PK\u{3}\u{4}", "PK\u{5}\u{6}"].contains { head.starts(with: $0.utf8) }
    case .gzip: return head.starts(with: [0x1F, 0x8B])
    case .bzip2:
      return head.starts(with: "BZh".utf8)
        && head.dropFirst(4).starts(with: [0x31, 0x41, 0x59, 0x26, 0x53, 0x59])
    case .xz: return head.starts(with: [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0])
    case .zstd: return head.starts(with: [0x28, 0xB5, 0x2F, 0xFD])
    case .tar: return head.dropFirst(257).starts(with: "ustar".utf8)
    case .gitLFSPointer: return head.starts(with: "version https://git-lfs".utf8)
    case .html:
      let start = head.drop { " \t\r\n".utf8.contains($0) || [0xEF, 0xBB, 0xBF].contains($0) }
      let text = String(decoding: start.prefix(64), as: UTF8.self).lowercased()
      return ["<!doctype", "<html", "<?xml"].contains { text.hasPrefix($0) }
    }
  }

  /// What follows the protocol of a pickle, and from protocol 4 on the length of its first frame; nil of other files.
  private static func firstPickled(_ head: [UInt8]) -> ArraySlice<UInt8>? {
    guard head.count > 2, head[0] == 0x80, (2...5).contains(head[1]) else { return nil }
    return head.dropFirst(head[2] == 0x95 ? 11 : 2)
  }

  /// Whether `head` begins with `magic` and a control character.
  private static func starts(_ head: [UInt8], with magic: String) -> Bool {
    head.starts(with: magic.utf8)
      && head.dropFirst(magic.utf8.count).first.map { $0 < 0x20 } ?? false
  }
}

/// The first entry of a zip archive (PKWARE's APPNOTE, 4.3.7).
private struct ZipEntry {
  let name: String
  /// Whether the entry has the extra field "FB", by which PyTorch aligns its records.
  let hasTorchPadding: Bool

  init?(_ head: [UInt8]) {
    guard head.count >= 30, head.starts(with: "PK\u{3}\u{4}".utf8) else { return nil }
    let nameLength = Int(head[26]) | Int(head[27]) << 8
    let rest = head.dropFirst(30)
    name = String(decoding: rest.prefix(nameLength), as: UTF8.self)
    hasTorchPadding = rest.dropFirst(nameLength).starts(with: "FB".utf8)
  }
}

/// The first fields of a Protocol Buffers message, as far as the examined bytes go.
private struct ProtocolBuffer {
  /// The fields up to the end of the head: number and, for a length-delimited field, its length.
  private var fields: [(number: Int, length: Int?)] = []

  init(_ head: [UInt8]) {
    var at = 0
    /// The next varint; nil at the end of the head.
    func number() -> Int? {
      var value = 0
      for shift in stride(from: 0, to: 35, by: 7) {
        guard at < head.count else { return nil }
        value |= Int(head[at] & 0x7F) << shift
        at += 1
        if head[at - 1] & 0x80 == 0 { return value }
      }
      return nil
    }
    while let tag = number(), let value = number() {
      switch tag & 7 {
      case 0: fields.append((tag >> 3, nil))
      case 2:
        fields.append((tag >> 3, value))
        at += value
      default: return
      }
    }
  }

  /// Whether this is a `ModelProto` of onnx.proto: `ir_version` (1), some texts (2 to 4, 6), a version (5), then the graph (7).
  var isONNX: Bool {
    guard let first = fields.first, first.number == 1, first.length == nil,
      let graph = fields.firstIndex(where: { $0.number == 7 })
    else { return false }
    return fields[graph].length != nil
      && fields[..<graph].allSatisfy { (1...6).contains($0.number) || $0.number == 8 }
  }

  /// Whether this is a `SavedModel` of saved_model.proto: a version (1), which is 1, and graphs (2).
  var isSavedModel: Bool {
    fields.count == 2 && fields[0] == (1, nil) && fields[1].number == 2
      && (fields[1].length ?? 0) > 4096
  }
}

extension Span<UInt8> {
  /// The first `count` bytes, or fewer if there are fewer.
  fileprivate func prefixBytes(_ count: Int) -> [UInt8] {
    (0..<Swift.min(count, self.count)).map { self[$0] }
  }
}
