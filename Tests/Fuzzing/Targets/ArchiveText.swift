/// Several files as one text that a fuzzer can change: one after the other, each under a line with its name.
enum ArchiveText {
  private static let mark = Array("\n=== ".utf8)

  static func text(of files: [(name: String, content: [UInt8])]) -> [UInt8] {
    files.flatMap { mark + Array($0.name.utf8) + [0x0A] + $0.content }
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
