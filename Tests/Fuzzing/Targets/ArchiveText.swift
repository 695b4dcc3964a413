import NumPyFormat

/// A zip archive as a fuzzer can change it. In the archive itself checksums and lengths would refuse nearly every change; here its
/// files stand one after the other, each under a line with its name, and the archive is made of that.
enum ArchiveText {
  private static let mark = Array("\n=== ".utf8)
  /// What a storage of zeros may have.
  private static let maxZeros = 1 << 20

  /// The text of an archive; nil of what is none. Files that hold numbers alone, by their names, are told by their length.
  static func text(of archive: [UInt8], numbers: (String) -> Bool) -> [UInt8]? {
    guard let zip = try? ZipArchive(archive) else { return nil }
    var files: [(name: String, content: [UInt8])] = []
    for (place, name) in zip.names.enumerated() {
      guard let content = try? zip.content(at: place) else { return nil }
      files.append((name, numbers(name) ? Array("\(content.count)".utf8) : content))
    }
    return text(of: files)
  }

  static func text(of files: [(name: String, content: [UInt8])]) -> [UInt8] {
    files.flatMap { mark + Array($0.name.utf8) + [0x0A] + $0.content }
  }

  /// The archive of a text, with zeros for numbers.
  static func archive(of text: [UInt8], numbers: (String) -> Bool) -> [UInt8] {
    zipArchive(
      of: files(in: text).map { name, content in
        guard numbers(name) else { return (name, content) }
        let count = Int(String(decoding: content.prefix(8), as: UTF8.self)) ?? 0
        return (name, Array(repeating: 0, count: max(0, min(count, maxZeros))))
      })
  }

  /// The files of a text, by their names.
  static func files(in text: [UInt8]) -> [(name: String, content: [UInt8])] {
    var files: [(name: String, content: [UInt8])] = []
    var rest = text[...]
    while let start = next(in: rest) {
      let line = rest[(start + mark.count)...]
      let nameEnd = line.firstIndex(of: 0x0A) ?? line.endIndex
      let content = line[nameEnd...].dropFirst()
      let end = next(in: content) ?? content.endIndex
      let name = String(decoding: line[..<nameEnd], as: UTF8.self)
      if !files.contains(where: { $0.name == name }) {
        files.append((name, Array(content[..<end])))
      }
      rest = rest[end...]
    }
    return files
  }

  private static func next(in bytes: ArraySlice<UInt8>) -> Int? {
    var at = bytes.startIndex
    while let found = bytes[at...].firstIndex(of: mark[0]) {
      if bytes[found...].starts(with: mark) { return found }
      at = found + 1
    }
    return nil
  }
}
