import Glibc

/// A kind of file that is no model folder, safetensors or JSON but that people have, told by its first bytes.
package enum ForeignFile: Sendable, Equatable, CaseIterable {
  /// HDF5, which Keras wrote as .h5.
  case hdf5
  /// A zip of Keras 3.
  case keras
  /// A zip that `torch.save` or TorchScript wrote: .pt, .pth, .bin, .ckpt.
  case torchZip
  /// What `torch.save` wrote before PyTorch 1.6.
  case torchPickle
  /// A pickle of something else.
  case pickle
  case onnx
  case tensorFlowModel
  case tensorFlowLite
  case gguf
  /// A zip of an office suite: .xlsx, .ods.
  case office
  case npz
  case npy
  case parquet
  /// Arrow's file format, also as Feather.
  case arrow
  case matlab
  case sqlite
  case zip
  case gzip
  case bzip2
  case xz
  case zstd
  case tar
  /// What stands in a Git repository for a file that Git LFS keeps elsewhere.
  case gitLFSPointer
  /// A page such as a download that failed leaves.
  case html

  /// Nil where the bytes, the first ones of a file at least, tell of none of these.
  package init?(_ bytes: Span<UInt8>) {
    let head = Array(bytes.prefixBytes(Self.headBytes))
    guard let kind = Self.allCases.first(where: { $0.matches(head) }) else { return nil }
    self = kind
  }

  /// The kind of the file at `path`; nil where it can't be read, is empty, or is none of these.
  init?(at path: String) {
    guard let file = try? OpenFile(path: path), file.size > 0, let mapping = try? file.map(),
      let kind = mapping.withBytes({ ForeignFile($0) })
    else { return nil }
    self = kind
  }

  /// The first file of a folder, by name, that holds a model in another form.
  static func first(inFolder folder: String) -> (name: String, ForeignFile)? {
    Folder.names(in: folder).sorted().lazy.compactMap { name in
      ForeignFile(at: "\(folder)/\(name)").flatMap { $0.isModel ? (name, $0) : nil }
    }.first
  }

  /// Bytes that are looked at.
  private static let headBytes = 4096

  /// Whether such a file is likely to hold the weights that are looked for.
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
    // The pickled integer that PyTorch's old format begins with.
    case .torchPickle:
      return head.starts(
        with: [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19])
    case .pickle: return head.count > 2 && head[0] == 0x80 && (2...5).contains(head[1])
    case .onnx: return ProtocolBuffer(head).isONNX
    case .tensorFlowModel: return ProtocolBuffer(head).isSavedModel
    case .tensorFlowLite: return head.dropFirst(4).starts(with: "TFL3".utf8)
    case .gguf: return head.starts(with: "GGUF".utf8)
    case .office:
      return ["[Content_Types].xml", "_rels/.rels", "mimetype"].contains(ZipEntry(head)?.name ?? "")
    case .npz: return ZipEntry(head)?.name.hasSuffix(".npy") ?? false
    case .npy: return head.starts(with: [0x93]) && head.dropFirst().starts(with: "NUMPY".utf8)
    // Text may start with these letters too, but no control character follows them there.
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
      let text = String(decoding: head.prefix(64), as: UTF8.self).lowercased()
      return ["<!doctype", "<html", "<?xml"].contains { text.hasPrefix($0) }
    }
  }

  /// Whether `magic` and a control character begin `head`.
  private static func starts(_ head: [UInt8], with magic: String) -> Bool {
    head.starts(with: magic.utf8)
      && head.dropFirst(magic.utf8.count).first.map { $0 < 0x20 } ?? false
  }
}

/// The first entry of a zip archive (PKWARE's APPNOTE, 4.3.7).
private struct ZipEntry {
  let name: String
  /// Whether it has the extra field "FB" by which PyTorch aligns its records.
  let hasTorchPadding: Bool

  init?(_ head: [UInt8]) {
    guard head.count >= 30, head.starts(with: "PK\u{3}\u{4}".utf8) else { return nil }
    let nameLength = Int(head[26]) | Int(head[27]) << 8
    let rest = head.dropFirst(30)
    name = String(decoding: rest.prefix(nameLength), as: UTF8.self)
    hasTorchPadding = rest.dropFirst(nameLength).starts(with: "FB".utf8)
  }
}

/// The first fields of a message of Protocol Buffers: what its numbers are, and what of it was short enough to be seen.
private struct ProtocolBuffer {
  /// Fields from the start on, until the head ends: number and, of a length-delimited one, its length.
  private var fields: [(number: Int, length: Int?)] = []

  init(_ head: [UInt8]) {
    var at = 0
    /// A varint; nil at the head's end.
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

  /// `ModelProto` of onnx.proto: `ir_version` (1), some texts (2 to 4, 6), a version (5), then the graph (7).
  var isONNX: Bool {
    guard let first = fields.first, first.number == 1, first.length == nil,
      let graph = fields.firstIndex(where: { $0.number == 7 })
    else { return false }
    return fields[graph].length != nil
      && fields[..<graph].allSatisfy { (1...6).contains($0.number) || $0.number == 8 }
  }

  /// `SavedModel` of saved_model.proto: a version (1), which is 1, and graphs (2).
  var isSavedModel: Bool {
    fields.count == 2 && fields[0] == (1, nil) && fields[1].number == 2
      && (fields[1].length ?? 0) > 4096
  }
}

extension Span<UInt8> {
  /// Its first bytes, as many as there are up to `count`.
  fileprivate func prefixBytes(_ count: Int) -> [UInt8] {
    (0..<Swift.min(count, self.count)).map { self[$0] }
  }
}
