import JSON
import ModelFormat

/// Texts by id, as files of vocabularies and labels have them: in the order of the ids, or with their ids.
package struct TextList {
  /// The text of each id from 0; nil where the file names none.
  private(set) var texts: [String?]
  /// Whether ids beyond the model's are allowed: a Keras Tokenizer also lists words that it leaves out.
  private(set) var mayBeLonger = false

  /// The layer or tokenizer of Keras's that makes words of a text before it looks them up; nil where none does.
  private(set) var wordSplitter: String?

  /// A limit above the number of ids of any input.
  private static let maxCount = 4_194_304

  init(_ texts: [String?]) { self.texts = texts }

  /// Texts with their ids; nil if an id is repeated, negative, or far beyond the number of texts.
  init?(ids: [(text: String, id: Int)]) {
    let bound = min(Self.maxCount, 2 * ids.count + 16)
    guard !ids.isEmpty, ids.allSatisfy({ (0..<bound).contains($0.id) }) else { return nil }
    texts = Array(repeating: nil, count: (ids.map(\.id).max() ?? 0) + 1)
    for (text, id) in ids {
      guard texts[id] == nil else { return nil }
      texts[id] = text
    }
  }

  package init(_ file: SourceFile) throws(ImportError) {
    try Self.checkIsText(file)
    let first = file.bytes.first { !" \t\r\n".utf8.contains($0) }
    let mayBeJSON = first.map { "[{\"".utf8.contains($0) } ?? false
    guard mayBeJSON, file.path.hasSuffix(".json") else {
      // JSON by another name; a list of texts may begin like it, with "[PAD]".
      if mayBeJSON, first != UInt8(ascii: "\""), let value = try? JSONParser.parse(file.bytes),
        let list = Self.list(in: value, depth: 0)
      {
        self = list
        return
      }
      self.init(lines: file.bytes)
      return
    }
    let value: JSONValue
    do { value = try JSONParser.parse(file.bytes) } catch {
      throw ImportError(file: file.path, problem: error.description)
    }
    guard let list = Self.list(in: value, depth: 0) else {
      throw ImportError(
        file: file.path,
        problem:
          "found no texts by id, expected an array of texts, an object from texts to ids or from ids "
          + "to texts, or the configuration of a TextVectorization or Tokenizer of Keras's",
        remedy:
          "of a layer whose get_config() has no texts (\"vocabulary\": null) write them themselves: "
          + "json.dump([str(t) for t in layer.get_vocabulary()], open('vocabulary.json', 'w'))")
    }
    self = list
  }

  /// A command that writes the texts of a pickled encoder as JSON; `labels` is the Python for them.
  static func command(_ path: String, _ labels: String) -> String {
    "python3 -c \"import joblib, json; e = joblib.load('\(path)'); json.dump([str(t) for t in \(labels)], open('labels.json', 'w'))\""
  }

  /// Refuses files of other kinds, such as a pickled tokenizer, whose bytes would be read as lines.
  private static func checkIsText(_ file: SourceFile) throws(ImportError) {
    let expected = "expected a .txt with a text a line, or .json"
    let inOrder =
      "write the texts in the order of their ids: json.dump(texts, open('texts.json', 'w'))"
    guard !file.bytes.isEmpty else {
      throw ImportError(file: file.path, problem: "found an empty file, \(expected)")
    }
    if let kind = ForeignFile(file.bytes.span) {
      if let labels = ForeignPickle(file)?.labels {
        throw ImportError(
          file: file.path, problem: "found \(ForeignPickle(file)?.what ?? kind.what), \(expected)",
          remedy: "\(command(file.path, labels)) writes a file that can be")
      }
      if kind == .npy {
        let code =
          "import json, numpy; json.dump([str(t) for t in numpy.load('\(file.path)', allow_pickle=True)], open('texts.json', 'w'))"
        throw ImportError(
          file: file.path, problem: "found \(kind.what), \(expected)",
          remedy: "python3 -c \"\(code)\" writes a file that can be")
      }
      let pickled =
        "python3 -c \"import pickle; t = pickle.load(open('\(file.path)', 'rb')); open('vocabulary.json', 'w').write("
        + "t.to_json() if hasattr(t, 'to_json') else __import__('json').dumps(t))\" "
        + "writes a file of a Keras Tokenizer, a dictionary or a list"
      throw ImportError(
        file: file.path, problem: "found \(kind.what), \(expected)",
        remedy: kind == .pickle ? pickled : inOrder)
    }
    guard String(validating: file.bytes, as: UTF8.self) != nil, !file.bytes.contains(0) else {
      throw ImportError(
        file: file.path, problem: "found bytes that are no text in UTF-8, \(expected)",
        remedy: inOrder)
    }
  }

  /// One text in each line; if all lines have a tab and a number after the text, the numbers are the ids.
  private init(lines bytes: [UInt8]) {
    var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { line in
      String(decoding: line.last == 0x0D ? line.dropLast() : line, as: UTF8.self)
    }
    if lines.last == "" { lines.removeLast() }
    let pairs = lines.compactMap { line -> (text: String, id: Int)? in
      guard let tab = line.lastIndex(of: "\t"), let id = Int(line[line.index(after: tab)...]) else {
        return nil
      }
      return (String(line[..<tab]), id)
    }
    if pairs.count == lines.count, let list = TextList(ids: pairs) {
      self = list
    } else {
      self.init(lines)
    }
  }

  // MARK: JSON

  /// The members under which a larger object may have the list.
  private static let keys = [
    "vocabulary", "vocab", "word_index", "token_to_id", "char_to_id", "char2id", "char2idx",
    "word2id", "word2idx", "stoi", "itos", "id2label", "label2id", "labels", "classes", "classes_",
  ]

  private static func list(in value: JSONValue, depth: Int) -> TextList? {
    guard depth < 4 else { return nil }
    switch value {
    case .array(let elements):
      let texts = elements.compactMap { element -> String? in
        guard case .string(let text) = element else { return nil }
        return text
      }
      return texts.count == elements.count && !texts.isEmpty ? TextList(texts) : nil
    // A Tokenizer's word_index is JSON in a string.
    case .string(let text):
      return (try? JSONParser.parse(Array(text.utf8))).flatMap { list(in: $0, depth: depth + 1) }
    case .object(let members):
      if let list = keras(members) { return list }
      let ids = members.compactMap { member -> (text: String, id: Int)? in
        switch member.value {
        case .number(let text): return Int(text).map { (member.key, $0) }
        case .string(let text): return Int(member.key).map { (text, $0) }
        case .null, .bool, .array, .object: return nil
        }
      }
      if ids.count == members.count, let list = TextList(ids: ids) { return list }
      for key in keys + ["model", "config"] {
        guard let member = members.last(where: { $0.key == key }),
          let list = list(in: member.value, depth: depth + 1)
        else { continue }
        return list
      }
      return nil
    case .null, .bool, .number: return nil
    }
  }

  /// The configuration of Keras's layer or tokenizer, `{"class_name": …, "config": {…}}`.
  private static func keras(_ members: [JSONValue.Member]) -> TextList? {
    guard case .string(let name)? = members.last(where: { $0.key == "class_name" })?.value,
      case .object(let config)? = members.last(where: { $0.key == "config" })?.value
    else { return nil }
    let key = name == "Tokenizer" ? "word_index" : "vocabulary"
    guard ["Tokenizer", "TextVectorization", "StringLookup"].contains(name),
      let value = config.last(where: { $0.key == key })?.value,
      var list = list(in: value, depth: 1)
    else { return nil }
    if name != "StringLookup" {
      let hasNoWords = config.contains { member in
        switch (member.key, member.value) {
        case ("char_level", .bool(true)), ("split", .null), ("split", .string("character")): true
        default: false
        }
      }
      list.wordSplitter = hasNoWords ? nil : name
    }
    switch name {
    case "Tokenizer": list.mayBeLonger = true
    case "TextVectorization":
      // Ids 0 and 1 are padding and unknown words, which the configuration leaves out.
      if list.texts.first != "" { list.texts = ["", "[UNK]"] + list.texts }
    default: if list.texts.first != "[UNK]" { list.texts = ["[UNK]"] + list.texts }
    }
    return list
  }
}
