import FoundationEssentials

/// Where targets take their seeds from.
package enum Seeds {
  private static let root: String = {
    var parts = #filePath.split(separator: "/")
    parts.removeLast(4)
    return "/" + parts.joined(separator: "/")
  }()

  /// Files of this size and less: a fuzzer goes through small ones faster.
  private static let maxBytes = 40_000

  /// The bytes of the files below Tests/Fixtures/FOLDER whose names end so, the smallest first, at most `count`.
  static func fixtures(_ folder: String, _ suffixes: String..., count: Int = 40) -> [[UInt8]] {
    files("\(root)/Tests/Fixtures/\(folder)")
      .filter { path in suffixes.contains { path.hasSuffix($0) } }
      .compactMap(bytes).filter { $0.count <= maxBytes }
      .sorted { $0.count < $1.count }.prefix(count).map { $0 }
  }

  /// What the model folders below Tests/Fixtures/FOLDER hold: model.json and model.safetensors.
  static func modelFolders(_ folder: String) -> [(description: [UInt8], tensors: [UInt8])] {
    files("\(root)/Tests/Fixtures/\(folder)").filter { $0.hasSuffix("/model.json") }
      .compactMap { path in
        guard let description = bytes(path),
          let tensors = bytes(path.dropLast("json".count) + "safetensors")
        else { return nil }
        return (description, tensors)
      }
  }

  /// A fixture's bytes.
  static func fixture(_ path: String) -> [UInt8] {
    guard let bytes = bytes("\(root)/Tests/Fixtures/\(path)") else {
      fatalError("no fixture \(path)")
    }
    return bytes
  }

  /// What once brought a target down, each by its file's name.
  package static func crashers(_ target: FuzzTarget) -> [(name: String, bytes: [UInt8])] {
    files("\(root)/Tests/Fuzzing/Crashers/\(target.name)").compactMap { path in
      bytes(path).map { (path.split(separator: "/").last.map(String.init) ?? path, $0) }
    }
  }

  /// The names of the folders of Crashers, which are those of targets.
  package static var crasherFolders: [String] {
    let names = try? FileManager.default.contentsOfDirectory(
      atPath: "\(root)/Tests/Fuzzing/Crashers")
    return (names ?? []).filter { !$0.hasPrefix(".") }
  }

  private static func bytes(_ path: some StringProtocol) -> [UInt8]? {
    (try? Data(contentsOf: URL(filePath: String(path)))).map { Array($0) }
  }

  /// The paths of all files below a folder, sorted.
  private static func files(_ folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.sorted().flatMap { name in
      let path = "\(folder)/\(name)"
      var isFolder = false
      return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder
        ? files(path) : [path]
    }
  }
}
