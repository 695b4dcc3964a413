import JSON

extension ModelDescription {
  /// The input that an output reconstructs, and how the error is measured.
  package struct Reconstruction: Sendable, Equatable {
    /// The name of a features input.
    package var input: String
    package var error: ErrorMeasure
    package var units: Units

    package init(
      input: String, error: ErrorMeasure = .squared, units: Units = .normalised
    ) {
      self.input = input
      self.error = error
      self.units = units
    }

    /// The differences whose mean is the error.
    package enum ErrorMeasure: String, Sendable, CaseIterable {
      case squared, absolute
    }

    /// The units of the output and the error.
    package enum Units: String, Sendable, CaseIterable {
      /// Normalised, as the values within the graph are.
      case normalised
      /// The units in which clients send the input.
      case input
    }
  }
}

extension ModelDescription.Reconstruction {
  /// Reads the input's name, or an object with `input` and attributes.
  init(_ field: JSONField) throws(ModelError) {
    if case .string(let name) = field.value {
      self.init(input: name)
      return
    }
    guard case .object = field.value else {
      throw field.unexpected("the name of a features input, or an object with \"input\"")
    }
    let object = try field.object(known: ["input", "error", "units"])
    self.init(
      input: try object.required("input", expected: "the name of a features input").string())
    if let field = object["error"] {
      guard let known = ErrorMeasure(rawValue: try field.string()) else {
        throw field.unexpected("\"squared\" or \"absolute\"")
      }
      error = known
    }
    if let field = object["units"] {
      guard let known = Units(rawValue: try field.string()) else {
        throw field.unexpected("\"normalised\" or \"input\"")
      }
      units = known
    }
  }

  var json: String {
    guard self != Self(input: input) else { return input.jsonText }
    var members = ["\"input\": \(input.jsonText)"]
    if error != .squared { members.append("\"error\": \(error.rawValue.jsonText)") }
    if units != .normalised { members.append("\"units\": \(units.rawValue.jsonText)") }
    return "{ \(members.joined(separator: ", ")) }"
  }
}

extension Model {
  /// An input that an output reconstructs.
  package struct ResolvedReconstruction: Sendable, Equatable {
    /// An index in `description.inputs`.
    package let input: Int
    package let error: ModelDescription.Reconstruction.ErrorMeasure
    package let units: ModelDescription.Reconstruction.Units
  }
}

extension ModelDescription.Reconstruction {
  /// Checks that the output `argument` has the form of the input that it reconstructs.
  func resolve(
    _ argument: NodeResolution.Argument, inputs: [ModelDescription.Input], axes: GraphAxes,
    path: String
  ) throws(ModelError) -> Model.ResolvedReconstruction {
    let features = inputs.filter {
      if case .features = $0.kind { true } else { false }
    }
    guard
      let index = inputs.firstIndex(where: { $0.name == input }),
      case .features(let size, _, _) = inputs[index].kind
    else {
      throw .unexpected(
        path: path, found: input.jsonExcerpt,
        expected: features.isEmpty
          ? "the name of a features input, which this model does not have"
          : "the name of a features input "
            + "(\(features.map(\.name.jsonExcerpt).joined(separator: ", ")))")
    }
    guard case .sequence(size) = argument.form else {
      throw .inputForm(
        path: path, op: "\"reconstructs\"", name: argument.name, found: argument.form,
        expected: "a sequence of size \(size), as \(input.jsonExcerpt) is")
    }
    guard argument.axis == axes.axis(ofInput: index) else {
      throw .unexpected(
        path: path, found: "other steps in \(argument.name.jsonExcerpt)",
        expected: "those of \(input.jsonExcerpt)")
    }
    return Model.ResolvedReconstruction(
      input: index, error: error, units: units)
  }
}
