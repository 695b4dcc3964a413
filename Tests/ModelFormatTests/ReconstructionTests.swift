import Testing

@testable import ModelFormat

/// What `reconstructs` of an output may say.
@Suite struct ReconstructionTests {
  private func model(_ reconstructs: String, output: String = "y", size: Int = 2) throws -> Model {
    try Model(
      description: ModelDescription(
        json: Array(
          """
          { "format": "carousel/1", "name": "m", "version": "1",
            "inputs": [{ "name": "x", "kind": "features", "size": 2 },
                       { "name": "t", "kind": "tokens", "size": 3 }],
            "nodes": [{ "name": "e", "op": "embedding", "inputs": ["t"] },
                      { "name": "both", "op": "concat", "inputs": ["x", "e"] },
                      { "name": "y", "op": "linear", "inputs": ["both"] },
                      { "name": "end", "op": "last", "inputs": ["y"] },
                      { "name": "half", "op": "average_pool", "inputs": ["y"] }],
            "outputs": [{ "name": "\(output)", "reconstructs": \(reconstructs) },
                        \(["y", "end", "half"].filter { $0 != output }
                          .map { "{ \"name\": \"\($0)\" }" }.joined(separator: ","))] }
          """.utf8)),
      tensors: zeros(["e.weight": [3, 1], "y.weight": [size, 3]]))
  }

  @Test(arguments: [
    (#""x""#, ModelDescription.Reconstruction(input: "x")),
    (#"{"input":"x"}"#, .init(input: "x")),
    (
      #"{"input":"x","error":"absolute","units":"input"}"#,
      .init(input: "x", error: .absolute, units: .input)
    ),
    (#"{"input":"x","error":"squared","units":"normalised"}"#, .init(input: "x")),
  ])
  func reads(text: String, expected: ModelDescription.Reconstruction) throws {
    let model = try model(text)
    #expect(model.description.outputs[0].reconstructs == expected)
    #expect(model.outputs[0].reconstructs?.input == 0)
    #expect(try ModelDescription(json: Array(model.description.json.utf8)) == model.description)
  }

  @Test(arguments: [
    ("7", #"outputs[0].reconstructs: expected the name of a features input, or an object"#),
    ("{}", #"outputs[0].reconstructs.input: expected the name of a features input, found nothing"#),
    (#""t""#, #"outputs[0].reconstructs: expected the name of a features input ("x"), found "t""#),
    (#""z""#, #"outputs[0].reconstructs: expected the name of a features input ("x"), found "z""#),
    (#"{"input":"x","error":"mean"}"#, #"outputs[0].reconstructs.error: expected "squared" or"#),
    (#"{"input":"x","units":"raw"}"#, #"outputs[0].reconstructs.units: expected "normalised" or"#),
    (#"{"input":"x","unit":"raw"}"#, #""unit""#),
  ])
  func refuses(text: String, error: String) {
    expectError(mentioning: [error]) { _ = try model(text) }
  }

  @Test func refusesOtherForms() {
    expectError(mentioning: [
      "outputs[0].reconstructs", "a sequence of size 2", "a vector of size 2",
    ]) {
      _ = try model(#""x""#, output: "end")
    }
    expectError(mentioning: ["a sequence of size 2", "a sequence of size 5"]) {
      _ = try model(#""x""#, size: 5)
    }
    expectError(mentioning: [#"expected those of "x", found other steps in "half""#]) {
      _ = try model(#""x""#, output: "half")
    }
  }
}
