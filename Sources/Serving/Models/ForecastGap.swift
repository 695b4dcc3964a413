import Inference
import ModelFormat

/// Why a model can't forecast its own input, or continue its own text.
package enum ForecastGap: Equatable, Sendable {
  /// No output says in `model.json` that it foretells the input; `output` could by its size.
  case undeclared(output: String, input: String)
  /// No output has a size that forecasts of the input have.
  case noOutput(inputSize: Int)
  /// It has more inputs than the one that is foretold.
  case inputs([String])
  /// Its input is of ids where it should be of features, or the other way round.
  case otherKind(input: String, isTokens: Bool)

  /// - Parameter ofTokens: whether text is to be continued, rather than features forecast.
  package init(in model: ServedModel, ofTokens: Bool) {
    let inputs = model.description.inputs
    guard inputs.count == 1 else {
      self = .inputs(inputs.map(\.name))
      return
    }
    let (input, size) = (inputs[0].name, inputs[0].kind.size)
    let fits: (Int) -> Bool
    switch (inputs[0].kind, ofTokens) {
    case (.features, false): fits = { $0 % size == 0 }
    case (.tokens, true): fits = { $0 == size }
    case (.features, true), (.tokens, false), (.vector, _):
      self = .otherKind(input: input, isTokens: !ofTokens)
      return
    }
    let output = model.graph.model.outputs.first { fits($0.size) }
    self = output.map { .undeclared(output: $0.name, input: input) } ?? .noOutput(inputSize: size)
  }
}
