import JSON
import ModelFormat

/// Files beside a model: the scaling of features, the texts of ids, the labels of outputs.
struct Preprocessing {
  let request: ImportRequest

  func apply(to draft: inout FolderDraft) throws(ImportError) {
    if let path = request.scaler {
      try scale(&draft, by: try ScalerFile(try SourceFile(path: path)), path)
      draft.notes.append(
        "the scaler is the input's: answers that were trained on a scaled target stay scaled, until an affine node brings them back (FORMAT.md)"
      )
    }
    if let path = request.vocabulary {
      let list = try TextList(try SourceFile(path: path))
      let (index, size) = try soleInput(draft.description, path, "tokens") { kind in
        guard case .tokens(let size, _) = kind else { return nil }
        return size
      }
      let texts = try Self.vocabulary(list, size: size, path: path, notes: &draft.notes)
      draft.description.inputs[index].kind = .tokens(size: size, vocabulary: texts)
      if let splitter = list.wordSplitter {
        draft.notes.append(
          "\(splitter) makes words of a text (lower case, no punctuation, split at spaces), which the server doesn't: send the words' ids (FORMAT.md, \"Text\")"
        )
      }
    }
    if let path = request.labels { try label(&draft, by: path) }
  }

  /// The only input that `size` gives a size of, and this.
  private func soleInput(
    _ description: ModelDescription, _ path: String, _ kind: String,
    size: (ModelDescription.Input.Kind) -> Int?
  ) throws(ImportError) -> (index: Int, size: Int) {
    let found = description.inputs.indices.compactMap { index in
      size(description.inputs[index].kind).map { (index: index, size: $0) }
    }
    guard found.count == 1 else {
      let inputs = description.inputs.map { input in
        switch input.kind {
        case .features(let size, _, _): "\(input.name.jsonExcerpt) (features, \(size) a step)"
        case .tokens(let size, _): "\(input.name.jsonExcerpt) (tokens, \(size) ids)"
        case .vector(let size): "\(input.name.jsonExcerpt) (a vector of \(size))"
        }
      }
      throw ImportError(
        file: path,
        problem:
          "the model has \(found.count) \(kind) inputs, expected one; its inputs are \(excerpt(inputs))",
        remedy: found.isEmpty ? nil : "write it into model.json, where each input has its own")
    }
    return found[0]
  }

  private func scale(
    _ draft: inout FolderDraft, by scaler: ScalerFile, _ path: String
  ) throws(ImportError) {
    var given: [Float]?
    let (index, size) = try soleInput(draft.description, path, "features") { kind in
      guard case .features(let size, let mean, let scale) = kind else { return nil }
      given = mean ?? scale
      return size
    }
    let name = draft.description.inputs[index].name.jsonExcerpt
    guard given == nil else {
      throw ImportError(
        file: path, problem: "the input \(name) is normalised already, by what is in the model")
    }
    guard scaler.mean.count == size || scaler.mean.count == 1 else {
      throw ImportError(
        file: path,
        problem:
          "found a scaler of \(scaler.mean.count) features, expected \(size), as the input \(name) has, or one for all",
        remedy: scaler.mean.count > size
          ? "a scaler of features and target together: keep the features' part of its arrays" : nil)
    }
    func spread(_ numbers: [Double]) -> [Float] {
      numbers.count == size
        ? numbers.map { Float($0) } : Array(repeating: Float(numbers[0]), count: size)
    }
    if scaler.mean.count < size, !scaler.isOneForAll {
      draft.notes.append(
        "the scaler has 1 feature and the input \(name) \(size): all \(size) are scaled by that one, which is right for several values of one series"
      )
    }
    draft.description.inputs[index].kind = .features(
      size: size, mean: spread(scaler.mean), scale: spread(scaler.scale))
  }

  /// A text for each id; ids without a text in the list get their number.
  static func vocabulary(
    _ list: TextList, size: Int, path: String, notes: inout [String]
  ) throws(ImportError) -> [String] {
    var texts = list.texts
    if texts.count > size {
      guard list.mayBeLonger else {
        throw ImportError(
          file: path,
          problem: "found \(texts.count) texts, expected at most \(size), as there are ids",
          remedy:
            "give the texts of the model's own training, whose first is that of id 0; where these are the most frequent words of more, keep the first \(size)"
        )
      }
      notes.append(
        "of the vocabulary's \(texts.count) texts the first \(size) have ids in the model")
      texts = Array(texts[..<size])
    }
    texts += Array(repeating: nil, count: size - texts.count)
    return named(texts, of: "vocabulary", notes: &notes)
  }

  /// The texts, with a name for each id that has none.
  private static func named(
    _ texts: [String?], of list: String, notes: inout [String]
  ) -> [String] {
    let missing = texts.indices.filter { texts[$0] == nil }
    if !missing.isEmpty {
      notes.append(
        "\(missing.count == 1 ? "id" : "ids") \(excerpt(missing.map { "\($0)" }, limit: 5)) \(missing.count == 1 ? "has" : "have") no text in the \(list): called <\(missing[0])>\(missing.count == 1 ? "" : " and so on")"
      )
    }
    return texts.enumerated().map { $0.element ?? "<\($0.offset)>" }
  }

  private func label(_ draft: inout FolderDraft, by path: String) throws(ImportError) {
    let list = try TextList(try SourceFile(path: path))
    // The labels of a decoder are its tokens.
    if let inputs = draft.description.decoder?.inputs {
      for (index, input) in inputs.enumerated() {
        guard case .tokens(let size, _) = input.source else { continue }
        let texts = try Self.vocabulary(list, size: size, path: path, notes: &draft.notes)
        draft.description.decoder?.inputs[index].source = .tokens(size: size, vocabulary: texts)
        return
      }
    }
    let labels = Self.named(list.texts, of: "labels", notes: &draft.notes)
    let outputs: [Model.ResolvedOutput]
    do { outputs = try draft.model().outputs } catch { throw ImportError(file: path, error) }
    let fitting = outputs.indices.filter {
      outputs[$0].size == labels.count && outputs[$0].forecasts == nil
    }
    guard fitting.count == 1 else {
      let sizes = outputs.map { "\($0.name) has \($0.size)" }.joined(separator: ", ")
      throw ImportError(
        file: path,
        problem:
          "found labels of the ids \(list.texts.firstIndex { $0 != nil } ?? 0) to \(labels.count - 1), expected 0 to one less than an output has elements; \(sizes)"
      )
    }
    draft.description.outputs[fitting[0]].labels = labels
    if outputs[fitting[0]].decode == nil {
      draft.notes.append(Note.labels(of: outputs[fitting[0]].name))
    }
  }
}
