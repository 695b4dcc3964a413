import JSON

extension ModelDescription {
  /// How the numbers of an output are decoded to labels.
  package enum Decode: Sendable, Equatable {
    /// The label of the largest element.
    case argmax
    /// The labels of the k largest elements, the largest first.
    case topK(Int)
    /// The most likely labels of all steps together, by a linear-chain conditional random field.
    case crf(CRF)
    /// The labels by connectionist temporal classification.
    case ctc(CTC)

    package struct CRF: Sendable, Equatable {
      /// The prefix of the names of its tensors.
      package var weights = "crf"
      package var order = Order.fromTo
      /// The start label, if the transitions have one: its transitions are the scores of a sequence's first label.
      package var start: Int?
      /// The end label, if the transitions have one.
      package var end: Int?
      /// The name of a sequence of 1: where it is 0, the step has no label.
      package var mask: String?

      /// The meaning of the rows and columns of `transitions`.
      package enum Order: String, Sendable, CaseIterable {
        case fromTo = "from_to"
        case toFrom = "to_from"
      }

      /// The names of its tensors, without the prefix.
      static let tensors = ["transitions", "start_transitions", "end_transitions"]

      package init() {}
    }

    package struct CTC: Sendable, Equatable {
      /// The blank label.
      package var blank = 0
      /// The width of a beam search; nil for the best label of each step (greedy).
      package var beam: Int?
      /// The name of a sequence of 1: where it is 0, the step is left out.
      package var mask: String?

      package init(blank: Int = 0, beam: Int? = nil, mask: String? = nil) {
        self.blank = blank
        self.beam = beam
        self.mask = mask
      }
    }

    package var name: String {
      switch self {
      case .argmax: "argmax"
      case .topK: "top_k"
      case .crf: "crf"
      case .ctc: "ctc"
      }
    }

    /// The name of the mask that says which steps count; nil if all do.
    package var mask: String? {
      switch self {
      case .argmax, .topK: nil
      case .crf(let crf): crf.mask
      case .ctc(let ctc): ctc.mask
      }
    }

    /// Whether the labels depend on all steps of a sequence together, so that no step can be decoded by itself.
    package var needsAllSteps: Bool {
      switch self {
      case .argmax, .topK: false
      case .crf, .ctc: true
      }
    }
  }
}

// MARK: - In model.json

extension ModelDescription.Decode {
  private static let names = ["argmax", "top_k", "crf", "ctc"]

  /// Reads a name, or an object with `op` and attributes.
  init(_ field: JSONField) throws(ModelError) {
    let nameField: JSONField
    if case .object = field.value {
      nameField = try field.object().required("op", expected: "a string")
    } else {
      nameField = field
    }
    guard case .string(let name) = nameField.value, Self.names.contains(name) else {
      throw nameField.unexpected("one of \(Self.names.joined(separator: ", "))")
    }
    func object(_ known: [String]) throws(ModelError) -> JSONObject {
      guard case .object = field.value else { return JSONObject(path: field.path, members: []) }
      return try field.object(known: ["op"] + known)
    }
    switch name {
    case "argmax":
      _ = try object([])
      self = .argmax
    case "top_k":
      self = .topK(try object(["k"]).required("k", expected: "a whole number").count())
    case "crf":
      let object = try object(["weights", "order", "start", "end", "mask"])
      var crf = CRF()
      if let weights = object["weights"] { crf.weights = try weights.string() }
      if let order = object["order"] {
        guard let known = CRF.Order(rawValue: try order.string()) else {
          throw order.unexpected("\"from_to\" or \"to_from\"")
        }
        crf.order = known
      }
      crf.start = try object["start"]?.count()
      crf.end = try object["end"]?.count()
      crf.mask = try object["mask"]?.string()
      self = .crf(crf)
    default:
      let object = try object(["blank", "beam", "mask"])
      self = .ctc(
        CTC(
          blank: try object["blank"]?.count() ?? 0, beam: try object["beam"]?.count(),
          mask: try object["mask"]?.string()))
    }
  }

  var json: String {
    var attributes: [(String, String)] = []
    switch self {
    case .argmax: break
    case .topK(let count): attributes.append(("k", "\(count)"))
    case .crf(let crf):
      if crf.weights != CRF().weights { attributes.append(("weights", crf.weights.jsonText)) }
      if crf.order != CRF().order { attributes.append(("order", crf.order.rawValue.jsonText)) }
      if let start = crf.start { attributes.append(("start", "\(start)")) }
      if let end = crf.end { attributes.append(("end", "\(end)")) }
    case .ctc(let ctc):
      if ctc.blank != CTC().blank { attributes.append(("blank", "\(ctc.blank)")) }
      if let beam = ctc.beam { attributes.append(("beam", "\(beam)")) }
    }
    if let mask { attributes.append(("mask", mask.jsonText)) }
    guard !attributes.isEmpty else { return name.jsonText }
    let members = [("op", name.jsonText)] + attributes
    return "{ \(members.map { "\($0.jsonText): \($1)" }.joined(separator: ", ")) }"
  }
}

// MARK: - Against the graph

extension ModelDescription.Decode {
  /// Checks that the output can be decoded in this way; returns the names of the tensors that decoding needs.
  func resolve(
    _ output: Model.ResolvedOutput, inputs: [ModelDescription.Input], tensors: TensorFile,
    path: String
  ) throws(ModelError) -> [String] {
    let size = output.size
    if let input = output.forecasts, inputs[input].kind.form != .tokens {
      throw .unexpected(
        path: path, found: name.jsonExcerpt,
        expected: "nothing, as \(output.name.jsonExcerpt) foretells numbers")
    }
    if needsAllSteps, case .vector = output.form {
      throw .inputForm(
        path: path, op: name, name: output.name, found: output.form, expected: "a sequence")
    }
    switch self {
    case .argmax: return []
    case .topK(let count):
      try check(count, in: 1...Swift.min(size, ModelLimits.rankedLabels), path: "\(path).k")
      return []
    case .crf(let crf):
      guard size <= ModelLimits.crfLabels else {
        throw .tooMany("\(path): the labels", found: size, limit: ModelLimits.crfLabels)
      }
      for (key, label) in [("start", crf.start), ("end", crf.end)] {
        if let label { try check(label, in: 0...size - 1, path: "\(path).\(key)") }
      }
      return try crf.resolve(size: size, output: output.name, tensors: tensors)
    case .ctc(let ctc):
      try check(ctc.blank, in: 0...size - 1, path: "\(path).blank")
      if let beam = ctc.beam {
        try check(beam, in: 1...ModelLimits.beamWidth, path: "\(path).beam")
      }
      return []
    }
  }

  private func check(_ number: Int, in bounds: ClosedRange<Int>, path: String) throws(ModelError) {
    guard !bounds.contains(number) else { return }
    throw .unexpected(
      path: path, found: "\(number)",
      expected: bounds.count == 1
        ? "\(bounds.lowerBound)"
        : "a whole number from \(bounds.lowerBound) to \(bounds.upperBound)")
  }
}

extension ModelDescription.Decode.CRF {
  /// Checks the CRF's tensors; returns the full names of those that the file has.
  fileprivate func resolve(
    size: Int, output: String, tensors: TensorFile
  ) throws(ModelError) -> [String] {
    var used: [String] = []
    let transitions = tensorName("transitions", under: weights)
    try tensors.check(transitions, hasShape: [size, size], node: output)
    used.append(transitions)
    for (tensor, label) in [("start_transitions", start), ("end_transitions", end)] {
      let name = tensorName(tensor, under: weights)
      // A start or end label replaces the tensor.
      guard label == nil, tensors.contains(name) else { continue }
      try tensors.check(name, hasShape: [size], node: output)
      used.append(name)
    }
    return used
  }
}
