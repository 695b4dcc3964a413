import Inference
import ModelFormat

/// Why a model can't forecast its own input, or continue its own text.
package enum ForecastGap: Equatable, Sendable {
  /// No output is declared in `model.json` as a forecast of the input; `output` has the right size.
  case undeclared(output: String, input: String)
  /// No output has the size of a forecast of the input.
  case noOutput(inputSize: Int)
  /// The model has other inputs beside the one to forecast.
  case inputs([String])
  /// The input takes token ids where features are needed, or the other way round.
  case otherKind(input: String, isTokens: Bool)

  /// - Parameter ofTokens: true to continue text, false to forecast features.
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
