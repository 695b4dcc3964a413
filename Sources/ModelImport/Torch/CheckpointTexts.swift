import ModelFormat

/// Vocabularies and labels in a checkpoint beside its weights: `{"char2id": {"a": 0, …}, "id2label": {0: "noun", …}}`.
enum CheckpointTexts {
  /// A limit above the number of entries of any vocabulary.
  private static let maxEntries = 1_000_000

  /// The lists of texts in the checkpoint, or in an object in it.
  static func lists(in file: TorchFile) -> [(key: String, list: TextList)] {
    var lists: [(key: String, list: TextList)] = []
    func collect(_ reference: PickleGraph.Reference, _ key: String, depth: Int) {
      if let list = list(reference, file.graph) {
        lists.append((key, list))
      } else if depth < 2 {
        for entry in (file.graph.entries(reference) ?? []).prefix(1000) {
          if let key = file.graph.text(entry.key) { collect(entry.value, key, depth: depth + 1) }
        }
      }
    }
    collect(file.root, "", depth: 0)
    return lists
  }

  private static func list(
    _ reference: PickleGraph.Reference, _ graph: PickleGraph
  ) -> TextList? {
    if let elements = graph.elements(reference) {
      guard !elements.isEmpty, elements.count <= maxEntries else { return nil }
      let texts = elements.compactMap { graph.text($0) }
      return texts.count == elements.count ? TextList(texts) : nil
    }
    guard let entries = graph.entries(reference), entries.count <= maxEntries else { return nil }
    let ids = entries.compactMap { entry -> (text: String, id: Int)? in
      if let text = graph.text(entry.key), let id = graph.int(entry.value) { return (text, id) }
      if let id = graph.int(entry.key), let text = graph.text(entry.value) { return (text, id) }
      return nil
    }
    return ids.count == entries.count ? TextList(ids: ids) : nil
  }

  private static let labelWords = ["label", "tag", "class", "phon", "target", "tgt"]
  private static let vocabularyWords = [
    "vocab", "char", "word", "token", "stoi", "itos", "symbol", "grapheme", "letter", "src",
  ]

  /// Gives the tokens input and the output of a model the list that fits in size and name, if there is exactly one and the person
  /// gave none.
  static func add(
    _ texts: [(key: String, list: TextList)], to draft: inout FolderDraft,
    beside request: ImportRequest
  ) {
    if request.vocabulary == nil, draft.description.inputs.count == 1,
      case .tokens(let size, nil) = draft.description.inputs[0].kind,
      let (key, found) = sole(texts, of: size, named: vocabularyWords, not: labelWords)
    {
      var changed = draft
      changed.description.inputs[0].kind = .tokens(size: size, vocabulary: found)
      changed.notes.append("the vocabulary is \(key) of the checkpoint")
      keep(changed, &draft)
    }
    guard request.labels == nil, draft.description.outputs.count == 1,
      draft.description.outputs[0].labels == nil,
      draft.description.outputs[0].forecasts == nil,
      let size = (try? draft.model())?.outputs[0].size,
      let (key, found) = sole(texts, of: size, named: labelWords, not: [])
    else { return }
    var changed = draft
    changed.description.outputs[0].labels = found
    changed.notes.append("the labels are \(key) of the checkpoint")
    if changed.description.outputs[0].decode == nil {
      changed.notes.append(Note.labels(of: changed.description.outputs[0].name))
    }
    keep(changed, &draft)
  }

  /// Applies a change unless the model is then invalid: a vocabulary must not have equal texts.
  private static func keep(_ changed: FolderDraft, _ draft: inout FolderDraft) {
    if (try? changed.model()) != nil { draft = changed }
  }

  /// The only list of this size whose key has one of the words; nil if there are several different ones.
  private static func sole(
    _ texts: [(key: String, list: TextList)], of size: Int, named words: [String],
    not others: [String]
  ) -> (key: String, texts: [String])? {
    let found = texts.compactMap { key, list -> (key: String, texts: [String])? in
      let name = key.lowercased()
      let all = list.texts.compactMap { $0 }
      guard all.count == list.texts.count, all.count == size,
        words.contains(where: { name.contains($0) }),
        !others.contains(where: { name.contains($0) })
      else { return nil }
      return (key, all)
    }
    guard let first = found.first, found.allSatisfy({ $0.texts == first.texts }) else { return nil }
    return first
  }
}
